package series

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Whatever is packed comes out as it went in, in order, also when a slice comes minutes late; and a second takes little.
func TestArchive(t *testing.T) {
	var a archive
	var want []Point
	for at := range 1000 {
		if at == 300 || at == 700 {
			continue // nobody said anything
		}
		p := Point{Second: at, Connected: 5000, Devices: 5000, Shares: 2, Errors: Classes{"connection refused": uint64(at%3 + 1)}}
		p.Counts[Sent], p.Counts[Acked] = uint64(500+at%7), uint64(500+at%5)
		p.Latencies = []Latency{{Timing: Ack, Count: p.Counts[Acked], Mean: float64(at) / 1e5, P50: 0.0004, P90: 0.001, P99: 0.003, P999: 0.004, Max: 0.02}}
		want = append(want, p)
		a.add(p)
	}
	for _, at := range []int{3, 119, 120, 700, 999} {
		change := func(p *Point) { p.Shares++; p.Partly = true; p.Errors.add("late", 1) }
		a.change(at, change)
		want = changed(want, at, change)
	}
	got, err := a.all()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	held := 0
	for _, p := range a.packs {
		held += len(p.data)
	}
	if n := len(a.packs) * perPack; n < 700 || held > 0 || a.size > int64(100*n) {
		t.Errorf("%d seconds take %d bytes of memory and %d of a file", n, held, a.size)
	}
}

// Without a file, all is in memory. A file that can't be read is an error, also when a second was to be changed.
func TestArchiveWithoutFile(t *testing.T) {
	long := func() (a archive) {
		for at := range 3 * perPack {
			a.add(Point{Second: at})
		}
		return a
	}
	t.Run("memory", func(t *testing.T) {
		t.Setenv("TMPDIR", t.TempDir()+"/missing")
		t.Setenv("TMP", t.TempDir()+"/missing")
		a := long()
		a.change(5, func(p *Point) { p.Shares = 7 })
		if points, err := a.all(); err != nil || len(points) != 3*perPack || points[5].Shares != 7 || len(a.packs[0].data) == 0 {
			t.Errorf("%d seconds, %v", len(points), err)
		}
	})
	for name, change := range map[string]bool{"read": false, "change": true} {
		t.Run(name, func(t *testing.T) {
			a := long()
			if a.file == nil {
				t.Fatal("there is no file")
			}
			if err := a.file.Truncate(3); err != nil {
				t.Fatal(err)
			}
			if change {
				a.change(5, func(*Point) {})
				a.packs = nil
			}
			if _, err := a.all(); err == nil || !strings.Contains(err.Error(), "the seconds up to 29 of a record") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// changed changes a second in a list, or puts it there.
func changed(points []Point, at int, do func(*Point)) []Point {
	for i := range points {
		if points[i].Second == at {
			do(&points[i])
			return points
		}
		if points[i].Second > at {
			p := Point{Second: at}
			do(&p)
			return append(points[:i:i], append([]Point{p}, points[i:]...)...)
		}
	}
	return points
}

// A record of a long run has every second; what is recent has the last.
func TestLongRun(t *testing.T) {
	c := NewCollector(time.Unix(0, 0))
	for at := range 600 {
		var m Meter
		m.Count(Sent, 3)
		if err := c.Add(0, at, m.Cut()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := c.Record()
	if err != nil {
		t.Fatal(err)
	}
	recent := c.Recent()
	if len(r.Points) != 600 || len(recent.Points) != open || recent.Points[open-1].Second != 599 || recent.Totals.Counts[Sent] != 1800 {
		t.Errorf("%d seconds, %d recent ones", len(r.Points), len(recent.Points))
	}
	for at, p := range r.Points {
		if p.Second != at || p.Counts[Sent] != 3 {
			t.Fatalf("second %d is %+v", at, p)
		}
	}
}
