package profile

import (
	"bytes"
	"flag"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write docs/profiles.md")

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "16") // they wait more than they compute
	goleak.VerifyTestMain(m)
}

func TestNamed(t *testing.T) {
	for _, p := range All() {
		if got, err := Named(p.Name); err != nil || got.Title != p.Title {
			t.Errorf("%s: %q, %v", p.Name, got.Title, err)
		}
	}
	if _, err := Named("carrier-pigeon"); err == nil || !strings.Contains(err.Error(), "\nhint: one of: 3g-handover, corporate-proxy, ") {
		t.Errorf("a name that is not there: %v", err)
	}
}

// Figures are such as a network can have, and each has a source.
func TestFiguresAreSane(t *testing.T) {
	if len(All()) < 10 {
		t.Errorf("%d profiles", len(All()))
	}
	names := map[string]bool{}
	for _, p := range All() {
		if names[p.Name] || p.Title == "" || len(p.Models) < 80 || !strings.Contains(p.Models, "Not modelled") && p.Link == Access || p.Link != Access && p.Link != Uplink {
			t.Errorf("%s: twice, or not described", p.Name)
		}
		names[p.Name] = true
		for _, f := range p.Figures {
			if f.What == "" || f.Value == "" || f.Source != OurChoice && len(f.Source) < 30 {
				t.Errorf("%s: %+v is no figure", p.Name, f)
			}
		}
		if len(p.Figures) < 3 || len(p.Steps) == 0 {
			t.Errorf("%s: %d figures, %d steps", p.Name, len(p.Figures), len(p.Steps))
		}
		for i, s := range p.Steps {
			if s.For < 100*time.Millisecond && (p.Loop || i < len(p.Steps)-1) || s.For > 10*time.Minute {
				t.Errorf("%s: step %d lasts %s", p.Name, i, s.For)
			}
			for _, c := range []frame.Conditions{s.Up, s.Down} {
				if err := sane(c); err != "" {
					t.Errorf("%s: step %d: %s", p.Name, i, err)
				}
			}
		}
	}
}

func sane(c frame.Conditions) string {
	for _, p := range []float64{c.Loss, c.Duplicate, c.Corrupt, c.Reorder, c.Bursts.Worsen, c.Bursts.Recover, c.Bursts.Good, c.Bursts.Bad, c.Latency.Correlation} {
		if !(p >= 0 && p <= 1) {
			return "a probability is not from 0 to 1"
		}
	}
	switch {
	case c.Latency.Delay < time.Millisecond || c.Latency.Delay > 10*time.Second || c.Latency.Jitter < 0 || c.Latency.Jitter > 2*c.Latency.Delay:
		return "no such latency"
	case c.Rate.BitsPerSecond < 1000 || c.Rate.BitsPerSecond > 1e9:
		return "no such rate"
	case c.Rate.Queue != 0 && c.Rate.Queue < 3000:
		return "a queue of less than two frames"
	case c.Bursts.Share() > 0.3:
		return "more than 30 % are lost in bursts"
	}
	return ""
}

// A TCP connection lives through every profile, on either link, and all is as before afterwards.
func TestTCPSurvives(t *testing.T) {
	for _, p := range All() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			clk := clock.New(60)
			log := evidence.NewLog(clk.Now, nil, false)
			w, err := internet.Open(internet.Config{Clock: clk, Log: log, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			a, err := w.Name("echo.example")
			if err != nil {
				t.Fatal(err)
			}
			at := netip.AddrPortFrom(a, 7)
			l, err := w.Servers.Listen(at)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				c, err := l.Accept()
				if err == nil {
					_, _ = io.Copy(c, c)
					c.Close()
				}
			}()
			h, access, err := w.Home().Host("device")
			if err != nil {
				t.Fatal(err)
			}
			on := w.Home().Uplink
			if p.Link == Access {
				on = access
			}
			undo := p.Apply(on, clk)
			ctx, cancel := clk.Timeout(t.Context(), 5*time.Minute)
			defer cancel()
			c, err := h.DialContext(ctx, "tcp", at.String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(clk.Deadline(10 * time.Minute))
			var cycle time.Duration
			for _, step := range p.Steps {
				cycle += step.For
			}
			sent, got := bytes.Repeat([]byte("0123456789"), 100), make([]byte, 1000)
			for begun := clk.Passed(); clk.Passed()-begun < cycle+5*time.Second; { // through every step
				go c.Write(sent)
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
					t.Fatalf("after %s the flow had ended: %v", clk.Passed()-begun, err)
				}
				clk.Sleep(t.Context(), time.Second)
			}
			undo()
			undo()
			checkNoted(t, log, p.Name)
		})
	}
}

// checkNoted sees that a profile is one impairment in the log.
func checkNoted(t *testing.T, log *evidence.Log, name string) {
	t.Helper()
	begun, ended := 0, 0
	for _, e := range log.Since(0) {
		if !strings.Contains(e.Text, "network profile "+name) {
			continue
		}
		switch e.Kind {
		case evidence.Impair:
			begun++
		case evidence.Heal:
			ended++
		}
	}
	if begun != 1 || ended != 1 {
		t.Errorf("%d impair and %d heal events, want one of each", begun, ended)
	}
}

func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := Page(&b); err != nil {
		t.Fatal(err)
	}
	const file = "../../docs/profiles.md"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), b.String()); diff != "" {
		t.Errorf("docs/profiles.md is stale; run go test ./link/profile -update (-kept +made):\n%s", diff)
	}
}
