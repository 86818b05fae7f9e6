package telemetry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// backlog makes readings from..to that were made 5 s apart and arrive step apart.
func backlog(from, to int64, step time.Duration) []reading {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var all []reading
	for seq := from; seq <= to; seq++ {
		all = append(all, reading{
			seq: seq, at: start.Add(time.Duration(seq-from) * step),
			times: map[string]time.Time{"at": start.Add(time.Duration(seq) * 5 * time.Second)},
		})
	}
	return all
}

func stamped(all []reading, at func(reading) map[string]time.Time) []reading {
	var out []reading
	for _, r := range all {
		r.times = at(r)
		out = append(out, r)
	}
	return out
}

func TestJudgeOutage(t *testing.T) {
	const slow, fast = 150 * time.Millisecond, time.Millisecond
	gap := func(all []reading, from, to int64) []reading {
		var out []reading
		for _, r := range all {
			if r.seq < from || r.seq > to {
				out = append(out, r)
			}
		}
		return out
	}
	late := func(all []reading, n int) []reading {
		for i := range n {
			all[i].at = all[n].at
		}
		return all
	}
	for _, c := range []struct {
		name  string
		keeps string
		after []reading
		away  bool
		exit  string
		want  []string
	}{
		{"all", "newest", backlog(3, 22, slow), false, "", nil},
		{"the newest", "newest", backlog(6, 26, slow), false, "", nil},
		{"the oldest where the newest are declared", "newest", gap(backlog(3, 27, slow), 23, 26), false, "", []string{"major: Keeps other readings than declared when its buffer is full"}},
		{"the oldest as declared", "oldest", gap(backlog(3, 27, slow), 23, 26), false, "", nil},
		{"the newest where the oldest are declared", "oldest", backlog(6, 26, slow), false, "", []string{"major: Keeps other readings than declared when its buffer is full"}},
		{"a hole", "", gap(backlog(3, 26, slow), 5, 12), false, "", []string{"Loses readings that it promises to keep"}},
		{"half", "newest", backlog(16, 26, slow), false, "", []string{"Loses readings that it promises to keep"}},
		{"nothing", "newest", nil, false, "", []string{"Sends no more readings after an outage"}},
		{"stays away", "newest", nil, true, "", []string{"Does not come back after an outage"}},
		{"crash", "newest", backlog(6, 26, slow), false, "signal: aborted", []string{"Crashes during an outage"}},
		{"burst", "newest", backlog(6, 26, fast), false, "", []string{"major: Sends its backlog in one burst"}},
		{"the first ones seen late", "newest", late(backlog(6, 26, slow), 9), false, "", nil},
		{
			"stamped when sent", "newest", stamped(backlog(6, 26, slow), func(r reading) map[string]time.Time { return map[string]time.Time{"at": r.at} }), false, "",
			[]string{"major: Loses the time at which its readings were made"},
		},
		{
			"no time", "newest", stamped(backlog(6, 26, slow), func(reading) map[string]time.Time { return nil }), false, "",
			[]string{"major: Loses the time at which its readings were made"},
		},
	} {
		o := outageSeen{
			buffer: 20, keeps: c.keeps, gap: 5 * time.Second, full: true, before: backlog(1, 2, 5*time.Second), after: c.after,
			back: !c.away, exit: c.exit,
		}
		var got []string
		for _, f := range judgeOutage(o) {
			title := f.Title
			if f.Severity != "" {
				title = string(f.Severity) + ": " + title
			}
			got = append(got, title)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestSplitCountsEachReadingOnce(t *testing.T) {
	before, after := split([]reading{{seq: 1, event: 3}, {seq: 2, event: 9}, {seq: 1, event: 10}, {seq: 2, event: 11}, {seq: 3, event: 12}}, 8)
	if len(before) != 1 || len(after) != 2 {
		t.Errorf("%d before, %d after", len(before), len(after))
	}
}
