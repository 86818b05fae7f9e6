package load

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// record is that of a course of ten devices that all went well, changed.
func record(change func(*series.Record)) *series.Record {
	r := &series.Record{Seconds: 2, Messages: &count.Totals{Watched: true, Sent: 100, Acked: 100, Arrived: 100}}
	r.Points = []series.Point{{Second: 0, Connected: 7, Devices: 8}, {Second: 1, Connected: 10, Devices: 10}, {Second: 2, Connected: 0, Devices: 10}}
	n := &r.Totals.Counts
	n[series.Attempts], n[series.Accepted], n[series.Sent], n[series.Acked] = 10, 10, 100, 100
	if change != nil {
		change(r)
	}
	return r
}

// expect compares how many findings there are.
func expect(t *testing.T, what string, found []check.Finding, want int) {
	t.Helper()
	if len(found) != want {
		t.Errorf("%s: %d findings, want %d: %v", what, len(found), want, found)
	}
	for _, f := range found {
		if f.Title == "" || f.Seen == "" {
			t.Errorf("%s: a finding without title or what was seen: %+v", what, f)
		}
	}
}

func TestJudgeRecords(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*series.Record)
		ramp   int
		spike  int
		herd   int
	}{
		{"well", nil, 0, 0, 0},
		{"refused", func(r *series.Record) { r.Totals.Counts[series.Refused] = 1 }, 1, 1, 1},
		{"broken", func(r *series.Record) { r.Totals.Counts[series.Broken] = 1 }, 1, 1, 1},
		{"dropped", func(r *series.Record) { r.Totals.Counts[series.Dropped] = 1 }, 1, 1, 0},
		{"away", func(r *series.Record) { r.Points[1].Connected = 9 }, 1, 0, 1},
		{"lost acked", func(r *series.Record) { r.Messages.LostAcked = 1 }, 1, 1, 0},
		{"lost, but nobody watched", func(r *series.Record) { r.Messages.LostAcked, r.Messages.Watched = 1, false }, 0, 0, 0},
		{"unanswered", func(r *series.Record) { r.Totals.Counts[series.Unanswered] = 2 }, 1, 1, 0},
		{"withheld a few", func(r *series.Record) { r.Totals.Counts[series.Withheld] = 5 }, 0, 0, 0},
		{"withheld many", func(r *series.Record) { r.Totals.Counts[series.Withheld] = 50 }, 0, 1, 0},
	} {
		r := record(c.change)
		expect(t, c.name+": ramp", judgeRamp(r, 10), c.ramp)
		expect(t, c.name+": spike", judgeSpike(r), c.spike)
		expect(t, c.name+": herd", judgeHerd(herd{devices: 10, connected: atEnd(r), cut: true, back: 5 * time.Second}, r), c.herd)
	}
	expect(t, "a late herd", judgeHerd(herd{devices: 10, connected: 10, cut: true, back: 61 * time.Second}, record(nil)), 1)
}

func TestLived(t *testing.T) {
	if err := lived(record(nil), showsArrivals); err != nil {
		t.Errorf("a course that went well: %v", err)
	}
	if lived(&series.Record{}, showsConnections) == nil {
		t.Error("nobody connected, and it is said that something can be learned")
	}
	if lived(record(func(r *series.Record) { r.Totals.Counts[series.Acked] = 0 }), showsAcks) == nil {
		t.Error("nothing was acknowledged, and it is said that something can be learned")
	}
	unwatched := record(func(r *series.Record) { r.Messages.Watched = false })
	if lived(unwatched, showsArrivals) == nil || lived(unwatched, showsAcks) != nil {
		t.Error("nobody watched, and it is said that something can be learned of what arrives, or nothing of what is acknowledged")
	}
}

func TestJudgeFloods(t *testing.T) {
	two := map[string]bool{"a": true, "b": true}
	expect(t, "all wills", judgeWills(wills{cut: 2, came: 2, due: two}), 0)
	expect(t, "wills of some, one of them twice", judgeWills(wills{cut: 3, came: 3, due: two}), 1)
	expect(t, "all retained", judgeRetained(flooding{got: []int{kept, kept}, ended: []bool{false, false}}), 0)
	expect(t, "some retained", judgeRetained(flooding{got: []int{kept, kept - 1}, ended: []bool{false, true}}), 1)
	expect(t, "none retained", judgeRetained(flooding{got: []int{0, 0}, ended: []bool{false, false}}), 1)
	if f := judgeRetained(flooding{got: []int{0, 0}, ended: []bool{false, false}}); !strings.Contains(f[0].Title, "wildcard") {
		t.Errorf("none at all is not because there are many: %q", f[0].Title)
	}
	expect(t, "others", judgeRetained(flooding{got: []int{0}, ended: []bool{false}, others: errors.New("no echo")}), 2)
	expect(t, "all deliveries", judgeFanOut(fanned{devices: 10, sent: calls, got: 10 * calls}), 0)
	expect(t, "deliveries of some", judgeFanOut(fanned{devices: 10, sent: calls, got: 10*calls - 1}), 1)
}

func TestJudgeGrowth(t *testing.T) {
	times := func(f func(k int) time.Duration) (list []time.Duration) {
		for k := range subPackets {
			list = append(list, f(k))
		}
		return list
	}
	quadratic := times(func(k int) time.Duration { return time.Duration((k+1)*(k+1)) * 20 * time.Millisecond })
	flat := times(func(int) time.Duration { return 3 * time.Second })
	late := times(func(k int) time.Duration { return time.Duration(k/12*5000+10) * time.Millisecond })
	expect(t, "quadratic twice", judgeGrowth(quadratic, quadratic), 1)
	expect(t, "quadratic once", judgeGrowth(quadratic, flat), 0)
	expect(t, "slow but even", judgeGrowth(flat, flat), 0)
	expect(t, "a machine that got slow", judgeGrowth(late, late), 0)
}

// TestRefusedAt counts as a broker with room for 63 subscriptions does, which takes part of a packet.
func TestRefusedAt(t *testing.T) {
	for want, codes := range map[int][]byte{-1: {0, 1, 2}, 3: {1, 1, 1, 0x80, 0x80}, 0: {0x97}} {
		if got := refusedAt(codes); got != want {
			t.Errorf("% X: %d, want %d", codes, got, want)
		}
	}
}
