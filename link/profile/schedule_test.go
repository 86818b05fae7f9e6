package profile

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// probe says what becomes of a frame that is sent now: lost, or handed over at once.
func probe(l *frame.Link) (passed bool) {
	before, _ := l.Counts()
	l.SendUp(make([]byte, 64))
	after, _ := l.Counts()
	return after.Delivered > before.Delivered
}

func TestSteps(t *testing.T) {
	clk := clock.New(100)
	log := evidence.NewLog(clk.Now, nil, false)
	l := frame.New(frame.Options{Name: "uplink", Clock: clk, Log: log})
	defer l.Close()
	l.Far(func([]byte) {})
	lost := frame.Conditions{Loss: 1}
	s := Schedule{Loop: true, Steps: []Step{
		{What: "lossy", For: 2 * time.Second, Up: lost, Down: lost},
		{What: "fine", For: 2 * time.Second},
		{What: "off", For: 2 * time.Second, Off: true},
	}}
	undo := s.Apply(l, clk, "a schedule")
	if probe(l) {
		t.Error("the first step is not in force when Apply returns")
	}
	mark := 0
	for _, want := range []string{"lossy", "fine", "off", "lossy", "fine"} {
		e, err := log.Await(t.Context(), mark, func(e evidence.Event) bool { return e.Kind == evidence.Seen })
		if err != nil || e.Text != "uplink: "+want {
			t.Fatalf("the next step is %q, want %s", e.Text, want)
		}
		mark = e.N + 1
	}
	undo()
	if !probe(l) {
		t.Error("the link is still impaired after undo")
	}
	n := log.Len()
	clk.Sleep(t.Context(), 5*time.Second)
	if log.Len() != n {
		t.Error("it goes on after undo")
	}
	left := s.Apply(l, clk, "left in force") // Close ends it
	l.Close()
	left()
	s.Apply(l, clk, "on a closed link")()
	Schedule{}.Apply(l, clk, "nothing")()
}

func TestLastStepStays(t *testing.T) {
	clk := clock.New(100)
	l := frame.New(frame.Options{Name: "uplink", Clock: clk})
	defer l.Close()
	l.Far(func([]byte) {})
	undo := Schedule{Steps: []Step{{For: time.Second}, {Ramp: true, For: time.Second, Up: frame.Conditions{Loss: 1}}}}.Apply(l, clk, "a ramp")
	if !probe(l) {
		t.Error("the first step impairs")
	}
	clk.Sleep(t.Context(), 20*time.Second)
	for range 20 {
		if probe(l) {
			t.Fatal("the last step is not in force")
		}
	}
	undo()
	if !probe(l) {
		t.Error("the link is still impaired after undo")
	}
}

func TestBetween(t *testing.T) {
	from := frame.Conditions{Latency: frame.Latency{Delay: time.Second}, Loss: 0.1, Rate: frame.Rate{BitsPerSecond: 1000}}
	to := frame.Conditions{Latency: frame.Latency{Delay: 3 * time.Second, Jitter: time.Second}, Loss: 0.5, Rate: frame.Rate{BitsPerSecond: 2000}}
	got := between(from, to, 0.25)
	if got.Latency.Delay != 1500*time.Millisecond || got.Latency.Jitter != 250*time.Millisecond || math.Abs(got.Loss-0.2) > 1e-9 || got.Rate.BitsPerSecond != 1250 {
		t.Errorf("a quarter of the way is %+v", got)
	}
	if got := between(frame.Conditions{}, to, 0.5); got.Rate.BitsPerSecond != 2000 {
		t.Errorf("from no limit the rate is %g", got.Rate.BitsPerSecond)
	}
}

func TestTrace(t *testing.T) {
	s, err := Trace(strings.NewReader("# recorded\n0, 20, 2, 1000, 5000, 0\n\n1.5, 300, 50, 100, 0, 100\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Steps) != 2 || s.Loop || s.Steps[0].For != 1500*time.Millisecond {
		t.Fatalf("%+v", s)
	}
	first, second := s.Steps[0], s.Steps[1]
	if first.Up.Latency.Delay != 20*time.Millisecond || first.Down.Rate.BitsPerSecond != 5e6 || second.Down.Rate.BitsPerSecond != 0 || second.Up.Loss != 1 {
		t.Errorf("%+v, %+v", first, second)
	}
	for text, want := range map[string]string{
		"":                             "no line",
		"5,1,1,1,1,1":                  "not at 0",
		"0,1,1,1,1":                    "5 numbers instead of 6",
		"0,1,1,1,1,x":                  `"x" is no number`,
		"0,1,1,1,1,101":                "not from 0 to 100",
		"0,NaN,1,1,1,1":                "not from 0",
		"0,1,1,1,1,1\n0,1,1,1,1,1":     "line 2: 0 s is not a millisecond after",
		"0,1,1,1,1,1\n9e9,1,1,1,1,1":   "line 2",
		"0,1,1,1,1,1\n99999,1,1,1,1,1": "more than 24h0m0s after",
		"0,1,1,1,1,1\n" + strings.Repeat("7", 100_000): "token too long",
	} {
		if _, err := Trace(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
}

func FuzzTrace(f *testing.F) {
	f.Add("0,1,1,1,1,1\n1,2,3,4,5,6")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Trace(strings.NewReader(text))
		if err != nil {
			return
		}
		for i, step := range s.Steps {
			if step.For < 0 || step.For > maxStep || step.Up.Loss > 1 || i < len(s.Steps)-1 && step.For == 0 {
				t.Errorf("step %d is %+v", i, step)
			}
		}
	})
}
