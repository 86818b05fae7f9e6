package series_test

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

func TestLoad(t *testing.T) {
	l := recorded(t).Load()
	if l.Every != 1 || len(l.Points) != 10 || l.Totals.Sent != 20000 || !l.Messages.Numbered || l.Messages.Lost != 1 || l.Own.PerDevice != 400 {
		t.Errorf("%+v", l)
	}
	if len(l.Messages.Examples) != 1 || l.Messages.Examples[0] != "lost: 0/0" {
		t.Errorf("examples %q", l.Messages.Examples)
	}
	if len(l.Errors) != 2 || l.Errors[0].Name != "connection refused" || l.Errors[0].Count != 20 {
		t.Errorf("errors %v", l.Errors)
	}
}

// A long run gets few points: counts add up, and nothing bad is hidden in between.
func TestLoadIsThinned(t *testing.T) {
	c := series.NewCollector(start)
	for at := range 2000 {
		m := &series.Meter{}
		m.Count(series.Sent, 3)
		m.Set(series.Devices, 10)
		m.Set(series.Connected, 10)
		m.Time(series.Ack, time.Millisecond)
		if at == 1001 {
			m.Set(series.Connected, 2)
			m.Time(series.Ack, time.Second)
			m.Error("connection reset")
		}
		_ = c.Add(0, at, m.Cut())
	}
	l := whole(t, c).Load()
	if l.Every != 4 || len(l.Points) != 500 {
		t.Fatalf("%d points, each for %d s", len(l.Points), l.Every)
	}
	sent := uint64(0)
	for i, p := range l.Points {
		sent += p.Counts.Sent
		if p.Second != i*4 || len(p.Latencies) != 1 {
			t.Fatalf("point %d: %+v", i, p)
		}
	}
	p := l.Points[250]
	if sent != 6000 || p.Connected != 2 || p.Latencies[0].Count != 5 || p.Latencies[0].Max < 0.999 || len(p.Errors) != 1 {
		t.Errorf("sent %d, %+v", sent, p)
	}
}
