package load

import (
	"errors"
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

func TestJudgeNeighbours(t *testing.T) {
	harmed := record(func(r *series.Record) { r.Messages.LostAcked = 3 })
	expect(t, "slow, and gets more", judgeSlow(slow{before: 5, after: 6}, record(nil)), 0)
	expect(t, "slow, ended and taken back", judgeSlow(slow{before: 5, ended: true}, record(nil)), 0)
	expect(t, "slow, and gets nothing", judgeSlow(slow{before: 5, after: 5}, record(nil)), 1)
	expect(t, "slow, ended for ever", judgeSlow(slow{ended: true, back: errors.New("refused")}, harmed), 2)
	expect(t, "stuck", judgeStuck(record(nil), heaps, nil), 0)
	expect(t, "stuck, and others wait", judgeStuck(harmed, 3, nil), 1)
	expect(t, "stuck for ever", judgeStuck(record(nil), 3, errors.New("no echo")), 1)
}

func TestJudgeWindow(t *testing.T) {
	expect(t, "full and worked off", judgeWindow(windowed{inFlight: 5, fed: 40, all: 40}), 0)
	expect(t, "overrun", judgeWindow(windowed{inFlight: 6, fed: 40, all: 40}), 1)
	expect(t, "lost", judgeWindow(windowed{inFlight: 5, fed: 40, all: 39}), 1)
	expect(t, "ended", judgeWindow(windowed{inFlight: 5, fed: 40, all: 5, ended: "peer fin"}), 1)
}

func TestJudgeConnections(t *testing.T) {
	expect(t, "half-open, all well", judgeHalves(halves{devices: 20}), 0)
	expect(t, "half-open, all ill", judgeHalves(halves{devices: 20, refused: []string{"busy"}, kept: 1, silent: 2}), 3)
	expect(t, "pings", judgeInStep(record(nil)), 0)
	expect(t, "pings lost", judgeInStep(record(func(r *series.Record) { r.Totals.Counts[series.Dropped] = 1 })), 1)
	expect(t, "handshakes", judgeStorm(record(nil), 10), 0)
	expect(t, "one handshake broken", judgeStorm(record(func(r *series.Record) { r.Totals.Counts[series.Broken] = 1 }), 10), 1)
	expect(t, "tickets", judgeTickets(resumptions{tickets: 11, offered: 10, resumed: 10}), 0)
	expect(t, "no tickets", judgeTickets(resumptions{}), 0)
	expect(t, "useless tickets", judgeTickets(resumptions{tickets: 11, offered: 10, resumed: 4}), 1)
}

func TestBusiest(t *testing.T) {
	r := record(func(r *series.Record) {
		point := func(second int, n uint64) series.Point {
			return series.Point{Second: second, Latencies: []series.Latency{{Timing: series.Connect, Count: 90}, {Timing: series.TLS, Count: n}}}
		}
		r.Points = []series.Point{point(0, 60), point(1, 20), point(2, 40)}
	})
	for _, c := range []struct {
		from int
		want uint64
	}{{0, 60}, {1, 40}, {2, 40}, {3, 0}} {
		if l, ok := busiest(r, series.TLS, c.from); l.Count != c.want || ok != (c.want > 0) {
			t.Errorf("from second %d: %d, %v", c.from, l.Count, ok)
		}
	}
}

func TestResuming(t *testing.T) {
	own := &product.ClassTLS{Version: "1.2"}
	f := resuming(&product.Fleet{Classes: []product.Class{{}, {TLS: own}}}, true)
	if a, b := f.Classes[0].TLS, f.Classes[1].TLS; !a.Resume || !b.Resume || b.Version != "1.2" || own.Resume {
		t.Errorf("%+v, %+v, was %+v", a, b, own)
	}
}

func TestJudgeNewcomers(t *testing.T) {
	verdicts(t, "all there", judgeNewcomers(newcomers{devices: 60, connected: 60}), 0, "")
	verdicts(t, "two of one name", judgeNewcomers(newcomers{devices: 60, connected: 59, doubled: 1}), 1, check.Blocker)
	verdicts(t, "a second name", judgeNewcomers(newcomers{devices: 60, connected: 60, renamed: 60}), 1, check.Major)
	verdicts(t, "one left out", judgeNewcomers(newcomers{devices: 60, connected: 59}), 1, check.Blocker)
	verdicts(t, "all at once", judgeNewcomers(newcomers{devices: 60, connected: 40, renamed: 3}), 2, check.Major)
}

func TestJudgeBackoff(t *testing.T) {
	all := comeback{devices: 100}
	some := comeback{devices: 100, left: 9, vain: 500}
	most := comeback{devices: 100, left: 40, vain: 500}
	slow := comeback{devices: 100, left: 40, vain: 100}
	verdicts(t, "all back", judgeBackoff(all, all, true), 0, "")
	verdicts(t, "turned away at first", judgeBackoff(comeback{devices: 100, vain: 200}, comeback{devices: 100, vain: 500}, true), 0, "")
	verdicts(t, "a few are late", judgeBackoff(some, some, true), 0, "")
	verdicts(t, "too short", judgeBackoff(slow, slow, true), 0, "")
	verdicts(t, "fixed pauses keep it down", judgeBackoff(all, most, true), 1, check.Major)
	verdicts(t, "the declared ones do", judgeBackoff(most, all, false), 1, check.Blocker)
	verdicts(t, "both do", judgeBackoff(most, most, true), 1, check.Blocker)
	verdicts(t, "the declared jitter does", judgeBackoff(most, all, true), 1, check.Blocker)
	verdicts(t, "many attempts", judgeBackoff(comeback{devices: 100, vain: 400}, comeback{devices: 100, vain: 100}, false), 1, check.Minor)
	verdicts(t, "twice the attempts", judgeBackoff(comeback{devices: 100, vain: 200}, comeback{devices: 100, vain: 100}, false), 0, "")
}

// TestOtherwise has a jittered back-off become a fixed pause, and one without jitter jittered, and leaves the fleet as it was.
func TestOtherwise(t *testing.T) {
	f := &product.Fleet{Classes: []product.Class{{Backoff: &product.Backoff{First: 5, Factor: 2, Cap: 60, Jitter: "equal"}}}}
	if b := *otherwise(f, isJittered(f)).Classes[0].Backoff; b != (product.Backoff{First: 5, Factor: 1, Cap: 5, Jitter: "none"}) {
		t.Errorf("jittered: %+v", b)
	}
	f.Classes[0].Backoff.Jitter = "none"
	if b := *otherwise(f, isJittered(f)).Classes[0].Backoff; b != (product.Backoff{First: 5, Factor: 2, Cap: 60, Jitter: "full"}) {
		t.Errorf("without jitter: %+v", b)
	}
	if f.Classes[0].Backoff.Jitter != "none" {
		t.Error("the declared back-off was changed")
	}
}

// TestRepeatable tells calls that are the same each time from others.
func TestRepeatable(t *testing.T) {
	for body, want := range map[string]bool{`{"serial":"{n:08}","tenant":"{tenant}"}`: true, `{"at":{time}}`: false, `{"nonce":"{random:1:9}"}`: false} {
		f := &product.Fleet{Classes: []product.Class{{}, {Provision: []product.Call{{URL: "/claim"}, {URL: "/claim/{id}", Body: body}}}}}
		if repeatable(f) != want {
			t.Errorf("%s: repeatable is %v", body, !want)
		}
	}
}

func TestJudgeHeap(t *testing.T) {
	expect(t, "even", judgeHeap([]float64{100, 100, 100, 100, 100}, 10), 0)
	expect(t, "up and down", judgeHeap([]float64{100, 120, 119, 130, 140}, 10), 0)
	expect(t, "levels off", judgeHeap([]float64{100, 120, 130, 131, 132}, 10), 0)
	expect(t, "hardly grows", judgeHeap([]float64{1000, 1001, 1002, 1003, 1004}, 10), 0)
	expect(t, "grows", judgeHeap([]float64{100, 110, 120, 130, 140}, 10), 1)
}

func TestJudgeStep(t *testing.T) {
	answered := func(text string) *series.Record {
		return record(func(r *series.Record) { r.Totals.Answers = series.Classes{text: 3} })
	}
	late := record(func(r *series.Record) { r.Own.Invalid = "a send was 2 s late" })
	broken := []evidence.LoadLimit{{Limit: "a", Outcome: evidence.LimitUnknown}, {Limit: "refused = 0", Outcome: evidence.LimitBroken, Seen: "3 of 10"}}
	for _, c := range []struct {
		name   string
		r      *series.Record
		judged []evidence.LoadLimit
		beyond bool
		want   evidence.LimitOutcome
	}{
		{"held", record(nil), []evidence.LoadLimit{{Outcome: evidence.LimitHeld}}, true, evidence.LimitHeld},
		{"not known", record(nil), broken[:1], false, evidence.LimitUnknown},
		{"broken", answered("CONNACK quota exceeded (0x97)"), broken, true, evidence.LimitBroken},
		{"strangers", answered("CONNACK not authorized (0x05)"), broken, true, evidence.LimitUnknown},
		{"strangers of HTTP", answered("status 401"), broken, true, evidence.LimitUnknown},
		{"strangers in the declared fleet", answered("CONNACK not authorized (0x05)"), broken, false, evidence.LimitBroken},
		{"late", late, []evidence.LoadLimit{{Outcome: evidence.LimitHeld}}, true, evidence.LimitUnknown},
		{"late, and not all are there", late, []evidence.LoadLimit{{Limit: "connected >= 100 %", Outcome: evidence.LimitBroken}}, true, evidence.LimitUnknown},
		{"late, and turned away", late, broken, true, evidence.LimitBroken},
		{"late in the declared fleet", late, []evidence.LoadLimit{{Outcome: evidence.LimitHeld}}, false, evidence.LimitHeld},
		{"stopped", record(func(r *series.Record) { r.Stopped = true }), broken, false, evidence.LimitUnknown},
	} {
		if got, seen := judgeStep(c.r, c.judged, c.beyond); got != c.want {
			t.Errorf("%s: %s, %s", c.name, got, seen)
		}
	}
}

func TestJudgePace(t *testing.T) {
	course := func(n int, at func(second int) float64) *series.Record {
		r := &series.Record{Seconds: n}
		for k := range n + 2 { // the last are of the drain
			r.Points = append(r.Points, series.Point{Second: k, Connected: 10, Devices: 10, Latencies: []series.Latency{{Timing: series.Ack, P50: at(k)}}})
		}
		return r
	}
	slower := func(k int) float64 { return 0.002 * float64(k+1) }
	invalid := course(90, slower)
	invalid.Own.Invalid = "busy"
	expect(t, "slower and slower", judgePace(course(90, slower)), 1)
	expect(t, "even", judgePace(course(90, func(int) float64 { return 0.3 })), 0)
	expect(t, "slower, but fast", judgePace(course(90, func(k int) float64 { return slower(k) / 100 })), 0)
	expect(t, "slow for a while", judgePace(course(90, func(k int) float64 { return 0.01 + float64(k/30%2) })), 0)
	expect(t, "too short to tell", judgePace(course(20, slower)), 0)
	expect(t, "of a machine that was busy", judgePace(invalid), 0)
}
