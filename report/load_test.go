package report

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/verdict"
)

// storm is a made-up run: all devices join, lose their connections at 60 s, and come back against refusals.
func storm() evidence.Load {
	const seconds, devices = 180, 2000
	l := evidence.Load{
		Title: "the fleet comes back after an outage", Target: "mqtts://broker.example:8883", Shape: "reconnect-storm", Devices: devices, Started: day,
		Seconds: seconds, Shares: 2, Every: 1,
		Own:     evidence.LoadOwn{Kept: true, LagP99: 0.0004, LagMax: 0.0031, CPU: 91, Cores: 2, PerDevice: 412, Base: 14e6, PerMessage: 11.2e-6},
		Outages: []evidence.LoadOutage{{Second: 60, Devices: devices, Back: 74.2, Cause: "the shape reconnect-storm"}},
		Messages: evidence.LoadMessages{
			Numbered: true, Watched: true, Sent: 231_480, Acked: 231_411, Arrived: 231_468, Lost: 12, LostAcked: 3, Duplicates: 57,
			Examples: []string{"duplicate: 3/17, 4/17, 88/20", "lost: 17/3, 17/4", "lost_acked: 17/3"},
		},
		Limits: []evidence.LoadLimit{
			{Limit: "connect p99 < 5 s", Outcome: evidence.LimitBroken, Seen: "9.6 s of 4,000", Timing: "connect", Seconds: 5},
			{Limit: "ack p99 < 1 s", Outcome: evidence.LimitHeld, Seen: "212 ms of 231,411", Timing: "ack", Seconds: 1},
			{Limit: "lost acked = 0", Outcome: evidence.LimitBroken, Seen: "3 of 231,411 acknowledged messages lost (0.0013 %)"},
			{Limit: "back < 120 s", Outcome: evidence.LimitHeld, Seen: "74.2 s until the last of 2,000 devices was back"},
			{Limit: "command p95 < 2 s", Outcome: evidence.LimitUnknown, Seen: "no command was timed"},
		},
		Notes: []string{"the machine bench-2 reported 3 s late"},
	}
	quota := "CONNACK 0x97 quota exceeded"
	for at := range seconds {
		p := evidence.LoadPoint{Second: at, Meant: min(devices, at*100)}
		since := at - 60
		switch {
		case at < 60:
			p.Connected = min(devices, at*100)
			p.Counts.Accepted = uint64(min(100, max(0, devices-at*100)))
			p.Counts.Attempts = p.Counts.Accepted
		default:
			p.Connected = int(devices * (1 - math.Exp(-float64(since)/16)))
			p.Counts.Accepted = uint64(devices / 16 * math.Exp(-float64(since)/16))
			p.Counts.Refused = uint64(float64(p.Counts.Accepted) * 1.7 * math.Exp(-float64(since)/30))
			p.Counts.Broken = uint64(float64(p.Counts.Refused) / 9)
			p.Counts.Attempts = p.Counts.Accepted + p.Counts.Refused + p.Counts.Broken
			if p.Counts.Refused > 0 {
				p.Answers = []evidence.LoadClass{{Name: quota, Count: p.Counts.Refused}}
			}
			if p.Counts.Broken > 0 {
				p.Errors = []evidence.LoadClass{{Name: "connection reset", Count: p.Counts.Broken}}
			}
			if at < 64 {
				p.Errors = append(p.Errors, evidence.LoadClass{Name: "connection refused", Count: 300})
			}
		}
		p.Counts.Sent = uint64(float64(p.Connected) * 0.9)
		p.Counts.Acked, p.Counts.Received = p.Counts.Sent, p.Counts.Sent
		slow := 1.0
		if since >= 0 {
			slow = 1 + 60*math.Exp(-float64(since)/14)
		}
		latency := func(timing string, count uint64, base float64) {
			if count > 0 {
				p.Latencies = append(p.Latencies, evidence.LoadLatency{
					Timing: timing, Count: count, Mean: base * slow, P50: base * slow, P90: base * slow * 2, P99: base * slow * (4 + math.Sin(float64(at))), P999: base * slow * 6, Max: base * slow * 7,
				})
			}
		}
		latency("connect", p.Counts.Accepted, 0.02)
		latency("ack", p.Counts.Acked, 0.0007)
		latency("lag", p.Counts.Sent, 0.00005)
		l.Points = append(l.Points, p)
		add(&l.Totals, p.Counts)
	}
	l.Latencies = []evidence.LoadLatency{
		{Timing: "connect", Count: 4000, Mean: 0.61, P50: 0.044, P90: 2.1, P99: 9.6, P999: 9.9, Max: 10.1},
		{Timing: "ack", Count: 231_411, Unanswered: 69, Mean: 0.0019, P50: 0.0007, P90: 0.004, P99: 0.212, P999: 0.41, Max: 0.44},
		{Timing: "lag", Count: 231_480, Mean: 0.00006, P50: 0.00005, P90: 0.0001, P99: 0.0004, P999: 0.001, Max: 0.0031},
	}
	l.Errors = []evidence.LoadClass{{Name: "connection refused", Count: 1200}, {Name: "connection reset", Count: 231}}
	l.Answers = []evidence.LoadClass{{Name: quota, Count: 1893}}
	return l
}

// steps is a made-up search for the capacity, on a machine that was too slow for it.
func steps() evidence.Load {
	l := evidence.Load{
		Title: "how much it takes", Target: "mqtt://127.0.0.1:1883", Shape: "steady", Devices: 1000, Started: day, Seconds: 600, Shares: 1, Every: 1,
		Invalid: "it did what was due up to 1.3 s late, as its two cores were busy",
		Own:     evidence.LoadOwn{LagP99: 0.8, LagMax: 1.3, CPU: 1170, Cores: 2},
		Limits: []evidence.LoadLimit{{
			Limit: "ack p99 < 20 ms", Outcome: evidence.LimitUnknown, Timing: "ack", Seconds: 0.02,
			Seen: "the latencies of this run are not valid: it did what was due up to 1.3 s late, as its two cores were busy",
		}},
		Capacity: evidence.LoadCapacity{
			Unit: "messages a second", Knee: 41_200, Low: 40_000, High: 42_500, Note: "the interval is that of 5 repetitions around the knee",
		},
	}
	for i, rate := range []float64{10_000, 20_000, 40_000, 80_000, 60_000, 50_000, 45_000, 42_500, 41_250, 40_000} {
		s := evidence.LoadStep{Offered: rate, Reached: min(rate, 43_000-float64(i)*30), P99: 0.002 + 0.0001*math.Exp((rate-30_000)/5000), Outcome: evidence.LimitHeld}
		if rate > 42_000 {
			s.Outcome = evidence.LimitBroken
		}
		s.P99 = min(s.P99, 30)
		s.Seen = fmt.Sprintf("ack p99 was %s", span(s.P99))
		l.Capacity.Steps = append(l.Capacity.Steps, s)
	}
	return l
}

func add(to *evidence.LoadCounts, c evidence.LoadCounts) {
	to.Attempts += c.Attempts
	to.Accepted += c.Accepted
	to.Refused += c.Refused
	to.Broken += c.Broken
	to.Sent += c.Sent
	to.Acked += c.Acked
	to.Received += c.Received
}

// underLoad is the campaign with a check that put a fleet in front of the broker.
func underLoad(t *testing.T, loads ...evidence.Load) Input {
	t.Helper()
	in := campaign(t)
	results := append([]evidence.Result(nil), in.Results...)
	for i, r := range results {
		if r.Check == "telemetry.interval" {
			results[i].Loads = loads
			break
		}
	}
	return judged(in.Plan, results, in.Events)
}

func TestLoadGolden(t *testing.T) {
	in := underLoad(t, storm(), steps())
	var page, text, doc bytes.Buffer
	if err := HTML(&page, in); err != nil {
		t.Fatal(err)
	}
	if err := Text(&text, in, Look{}); err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(page.String(), `<section id="load">`)
	section, _, _ = strings.Cut(section, "</section>")
	golden(t, filepath.Join("testdata", "golden", "load.html"), []byte(section))
	_, block, _ := strings.Cut(text.String(), "UNDER LOAD\n")
	block, _, _ = strings.Cut(block, "NOT TESTED")
	golden(t, filepath.Join("testdata", "golden", "load.txt"), []byte(block))
	if err := JSON(&doc, in); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(doc.String(), `"limit": "connect p99 < 5 s"`) {
		t.Error("results.json does not have the limits")
	}
	if err := validated(t, in); err != nil {
		t.Error(err)
	}
}

// TestFolded has what passed fold what it measured, unless a limit was not held or it is the only one.
func TestFolded(t *testing.T) {
	quiet, held := storm(), storm()
	quiet.Title, quiet.Limits = "quiet", nil
	held.Title, held.Limits = "held", held.Limits[1:2]
	for _, c := range []struct {
		loads []evidence.Load
		want  string
	}{
		{[]evidence.Load{quiet, storm(), held}, "the fleet comes back after an outage, quiet folded, held folded"},
		{[]evidence.Load{quiet}, "quiet"},
		{[]evidence.Load{quiet, steps()}, "how much it takes, quiet folded"},
	} {
		in := underLoad(t, c.loads...)
		v := viewer{in: in, cases: verdict.Cases(in.Plan, in.Results)}
		var got []string
		for _, l := range v.loads() {
			word := l.Title
			if l.Folded {
				word += " folded"
			}
			got = append(got, word)
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("got %s, want %s", text, c.want)
		}
		var page bytes.Buffer
		if err := HTML(&page, in); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(page.String(), "<summary>What it measured"); n != strings.Count(c.want, "folded") {
			t.Errorf("%s: %d are folded on the page", c.want, n)
		}
	}
}

// A load of which next to nothing is known has neither plots nor claims, and fits the schema.
func TestEmptyLoad(t *testing.T) {
	in := underLoad(t, evidence.Load{}, evidence.Load{Points: []evidence.LoadPoint{{Second: 3}}, Every: 1, Own: evidence.LoadOwn{Kept: true}})
	v := viewer{in: in, cases: verdict.Cases(in.Plan, in.Results)}
	loads := v.loads()
	if len(loads) != 2 || len(loads[0].Plots)+len(loads[1].Plots) != 0 || loads[0].Knee() != "" || loads[0].Unwatched() == "" || len(loads[0].Doubts()) != 1 {
		t.Errorf("of nothing: %+v", loads)
	}
	if err := validated(t, in); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	if err := HTML(&b, in); err != nil {
		t.Error(err)
	}
}

// A line breaks where nothing is known, and no mark leaves its panel, whatever the numbers are.
func TestLoadPlotsStayInside(t *testing.T) {
	l := evidence.Load{Every: 1, Seconds: 4}
	for _, at := range []int{0, 1, 5, 6, 9} {
		l.Points = append(l.Points, evidence.LoadPoint{Second: at, Connected: at * 1e9, Latencies: []evidence.LoadLatency{
			{Timing: "ack", Count: 1, P50: float64(at) * 1e3, P99: float64(at) * 1e9, Max: float64(at) * 1e12},
		}})
	}
	l.Latencies = []evidence.LoadLatency{{Timing: "ack", Count: 5, Max: 1}}
	for _, p := range (loaded{Load: l, ID: "x"}).draw() {
		for _, s := range p.Shapes {
			if strings.Contains(s.D, "NaN") || strings.Contains(s.D, "Inf") {
				t.Errorf("%s: %s", p.ID, s.D)
			}
			if s.Title == "half were faster" && strings.Count(s.D, "M") != 3 {
				t.Errorf("the line has other pieces than three: %s", s.D)
			}
		}
		if p.Height > 600 {
			t.Errorf("%s is %v high", p.ID, p.Height)
		}
	}
}

func TestSpans(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 s", 0.0000113: "11.3 µs", 0.0042: "4.2 ms", 1: "1 s", 5.13: "5.1 s", 119: "119 s", 180: "3 min", 245: "4 min 05 s", 9000: "2.5 h",
	} {
		if got := span(s); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
	for s, want := range map[float64]string{0: "0 s", 59: "59 s", 90: "1:30", 3700: "1:01 h"} {
		if got := clock(s); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
}
