package limit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/limit"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// run is a run in which little went wrong.
func run(changes ...func(*series.Meter, *series.Record)) *series.Record {
	c := series.NewCollector(time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC))
	m := &series.Meter{}
	m.Count(series.Attempts, 1010)
	m.Count(series.Accepted, 1000)
	m.Count(series.Refused, 8)
	m.Count(series.Broken, 2)
	m.Count(series.Sent, 20_000)
	m.Count(series.Withheld, 5)
	m.Set(series.Connected, 995)
	m.Set(series.Devices, 1000)
	for i := range 1000 {
		m.Time(series.Connect, time.Duration(i+1)*time.Millisecond)
		m.Time(series.Delivery, 5*time.Millisecond)
		m.Time(series.Lag, 40*time.Microsecond)
	}
	var late series.Record
	for _, change := range changes {
		change(m, &late)
	}
	_ = c.Add(0, 0, m.Cut())
	r := c.Recent()
	r.Messages = &count.Totals{Watched: true, Sent: 20_000, Acked: 19_999, Arrived: 19_990, Lost: 10, LostAcked: 1, Duplicates: 3}
	r.Outages = []series.Outage{{Devices: 1000, Back: 42.5}, {Devices: 10, Back: 3}}
	for _, change := range changes {
		change(&series.Meter{}, r)
	}
	return r
}

func TestJudge(t *testing.T) {
	slow := func(m *series.Meter, r *series.Record) { r.Own.Invalid = "it fell behind its schedule by up to 2 s" }
	skewed := func(m *series.Meter, r *series.Record) { r.Own.OneWay = "the clocks differ by 40 ms" }
	blind := func(m *series.Meter, r *series.Record) {
		if r.Messages != nil {
			r.Messages.Watched = false
		}
	}
	betrayed := func(m *series.Meter, r *series.Record) {
		if r.Messages != nil {
			*r.Messages = count.Totals{Sent: 20_000, Leaked: 2}
		}
	}
	widowed := func(m *series.Meter, r *series.Record) {
		if r.Messages != nil {
			r.Messages.Unsent, r.Messages.Lost = 4000, 0
		}
	}
	silent := func(m *series.Meter, r *series.Record) {
		for range 20 {
			m.Unanswered(series.Connect, 10*time.Millisecond)
		}
	}
	stuck := func(m *series.Meter, r *series.Record) {
		r.Outages = append(r.Outages, series.Outage{Devices: 9, Away: 2})
	}
	nothing := func(m *series.Meter, r *series.Record) {
		*m = series.Meter{}
		r.Outages, r.Messages = nil, nil
	}
	const held, broken, unknown = "held", "broken", "unknown"
	for _, c := range []struct {
		limit  string
		want   string
		seen   string
		change func(*series.Meter, *series.Record)
	}{
		{"connect p99 < 1 s", held, "990 ms of 1,000", nil},
		{"connect p99 < 0.9 s", broken, "990 ms", nil},
		{"connect p95 < 1 s", held, "950 ms", nil},
		{"connect max <= 1001 ms", held, "1 s of", nil},
		{"connect mean < 505 ms", held, "", nil},
		{"ack p99 < 1 s", unknown, "no ack was timed", nil},
		{"connect p99 < 1 h", unknown, "fell behind", slow},
		{"lag p99 < 2 ms", held, "40 µs", slow},
		{"delivery p99 < 1 s", unknown, "clocks differ", skewed},
		{"connect p99 < 1 s", held, "", skewed},
		{"connect p90 < 2 s", held, "", silent},
		{"connect p99 < 2 s", unknown, "20 of them were never answered", silent},
		{"connect p50 < 1 ms", broken, "", silent},
		{"connect max < 2 s", unknown, "never answered", silent},
		{"connect mean < 2 s", unknown, "never answered", silent},
		{"lost = 0", broken, "10 of 20,000 messages lost (0.05 %)", nil},
		{"lost < 0.1 %", held, "", nil},
		{"lost = 0", unknown, "no operator", blind},
		{"lost = 0", unknown, "a sender is missing", widowed},
		{"lost acked = 0", broken, "1 of 19,999 acknowledged messages lost (0.005 %)", nil},
		{"lost acked <= 1", held, "", nil},
		{"lost acked <= 1", unknown, "a sender is missing", widowed},
		{"duplicates < 1 %", held, "3 of 19,990 messages arrived again", nil},
		{"leaked = 0", held, "0 of 19,990 messages seen by another tenant", nil},
		{"leaked = 0", unknown, "no operator", blind},
		{"leaked = 0", broken, "2 messages seen by another tenant", betrayed},
		{"leaked < 1 %", unknown, "", betrayed},
		{"late = 0", held, "", nil},
		{"foreign = 0", held, "", nil},
		{"refused < 1 %", held, "8 of 1,010", nil},
		{"refused = 0", broken, "", nil},
		{"errors <= 2", held, "2 of 1,010 attempts to connect ended without an answer", nil},
		{"errors < 0.1 %", broken, "", nil},
		{"errors < 1 %", held, "", nil},
		{"broken < 3", held, "", nil},
		{"dropped = 0", held, "0 of 1,000 connections dropped by the other side", nil},
		{"rejected = 0", held, "", nil},
		{"withheld <= 5", held, "5 of 20,005 messages that were due not sent (0.025 %)", nil},
		{"unanswered = 0", held, "", nil},
		{"unanswered = 0", broken, "20 of 20,000", silent},
		{"back < 60 s", held, "42.5 s until the last of 1,000 devices was back", nil},
		{"back < 40 s", broken, "", nil},
		{"back < 60 s", unknown, "no device was connected", func(_ *series.Meter, r *series.Record) { r.Outages = []series.Outage{{Second: 30}} }},
		{"back < 60 s", broken, "2 of 9 devices were not back at the end", stuck},
		{"connected >= 99 %", held, "995 of 1,000 devices connected at the end (99.5 %)", nil},
		{"connected >= 1000", broken, "", nil},
		{"connected = 100 %", broken, "", nil},
	} {
		l, err := limit.Parse(c.limit)
		if err != nil {
			t.Error(err)
			continue
		}
		var changes []func(*series.Meter, *series.Record)
		if c.change != nil {
			changes = append(changes, c.change)
		}
		h, seen, known := l.Judge(run(changes...))
		got := map[bool]string{true: held, false: broken}[h]
		if !known {
			got = unknown
		}
		if got != c.want || h && !known || !strings.Contains(seen, c.seen) || seen == "" {
			t.Errorf("%s: %s, %q; want %s, %q", c.limit, got, seen, c.want, c.seen)
		}
		if h, seen, known := l.Judge(run(nothing)); h || known || seen == "" {
			t.Errorf("%s holds (%v) or is known (%v) of a run in which nothing happened: %s", c.limit, h, known, seen)
		}
	}
}

func TestAll(t *testing.T) {
	var limits []limit.Limit
	for _, text := range []string{"connect  p99<1s", "lost = 0", "ack max < 2 s"} {
		l, err := limit.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		limits = append(limits, l)
	}
	got := limit.All(limits, run())
	if len(got) != 3 || got[0].Outcome != evidence.LimitHeld || got[0].Limit != "connect p99 < 1 s" || got[0].Timing != "connect" || got[0].Seconds != 1 ||
		got[1].Outcome != evidence.LimitBroken || got[1].Timing != "" || got[2].Outcome != evidence.LimitUnknown {
		t.Errorf("%+v", got)
	}
}

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 µs", 0.0000425: "42.5 µs", 0.00082: "820 µs", 0.0012: "1.2 ms", 0.25: "250 ms", 0.99: "990 ms", 0.9999: "1 s", 3.2: "3.2 s",
		61: "61 s", 245: "4 min 5 s", 3600: "60 min",
	} {
		if got := limit.Seconds(s); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
}
