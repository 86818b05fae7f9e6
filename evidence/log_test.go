package evidence

import (
	"context"
	"errors"
	"testing"
	"time"
)

func newLog() *Log { return NewLog(time.Now, nil, false) }

func TestLogLimits(t *testing.T) {
	tests := []struct {
		name          string
		kind          Kind
		kept, dropped int
	}{
		{"console lines", Console, limitConsole, 0},
		{"packets from the part", In, limitIn, Limit + 1 - limitIn},
		{"anything", Seen, Limit, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLog()
			for range Limit + 1 {
				l.Add(Event{Kind: tt.kind})
			}
			if l.Len() != tt.kept || l.Dropped() != tt.dropped {
				t.Errorf("%d kept, %d dropped; want %d, %d", l.Len(), l.Dropped(), tt.kept, tt.dropped)
			}
			last := l.Since(tt.kept - 1)[0]
			if full := tt.kept == Limit; full != (last.Kind == Overflow) {
				t.Errorf("the last event is %s", last.Kind)
			}
			if n := l.Add(Event{Kind: Heal}); (n < 0) != (tt.kept == Limit) {
				t.Errorf("what is done to the part afterwards has number %d", n)
			}
		})
	}
}

func TestAwait(t *testing.T) {
	heal := func(e Event) bool { return e.Kind == Heal }
	l := newLog()
	first := l.Add(Event{Kind: Heal})

	if e, err := l.Await(t.Context(), 0, heal); err != nil || e.N != first {
		t.Errorf("an event that is there: %v, %v", e, err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := l.Await(over, 0, heal); err != nil || e.N != first {
		t.Errorf("an event that is there, with no time left: %v, %v", e, err)
	}
	if _, err := l.Await(over, first+1, heal); !errors.Is(err, context.Canceled) {
		t.Errorf("from a mark after it: %v", err)
	}

	got := make(chan int, 2)
	for range cap(got) {
		go func() {
			e, _ := l.Await(t.Context(), first+1, heal)
			got <- e.N
		}()
	}
	l.Add(Event{Kind: Impair})
	second := l.Add(Event{Kind: Heal})
	l.Add(Event{Kind: Heal})
	for range cap(got) {
		if n := <-got; n != second {
			t.Errorf("the wait ended with event %d, want %d", n, second)
		}
	}

	ended := make(chan error)
	go func() {
		_, err := l.Await(t.Context(), 0, func(Event) bool { return false })
		ended <- err
	}()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("at the end of the log: %v", err)
	}
	if l.Add(Event{}) != -1 {
		t.Error("an event was added to a closed log")
	}
}

func TestFrames(t *testing.T) {
	frames := 0
	l := NewLog(time.Now, nil, false)
	l.Add(Event{Kind: Power})
	l.CountFrames(func() int { return frames })
	for _, n := range []int{0, 3, 3, 10} {
		frames = n
		l.Add(Event{Kind: In})
	}
	for name, c := range map[string]struct{ first, last, firstFrame, lastFrame int }{
		"all":                    {0, 4, 1, 10},
		"before the first":       {0, 1, 0, 0},
		"from one to another":    {2, 4, 1, 10},
		"the last":               {4, 4, 4, 10},
		"nothing came meanwhile": {3, 3, 3, 3},
		"beyond the end":         {3, 9, 0, 0},
		"the wrong way round":    {4, 3, 0, 0},
		"before all":             {-1, 3, 0, 0},
	} {
		r := Ref{First: c.first, Last: c.last}.Framed("access.pcapng", l.Since(0))
		if r.FirstFrame != c.firstFrame || r.LastFrame != c.lastFrame || (r.Capture != "") != (c.lastFrame > 0) {
			t.Errorf("%s: %+v, want frames %d to %d", name, r, c.firstFrame, c.lastFrame)
		}
	}
}
