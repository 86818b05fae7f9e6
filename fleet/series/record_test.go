package series_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"flag"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/series"
)

var update = flag.Bool("update", false, "write the golden files")

var start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// recorded is a run of ten seconds on two shares.
func recorded(t *testing.T) *series.Record {
	t.Helper()
	c := series.NewCollector(start)
	for at := range 10 {
		for share := range 2 {
			m := filled()
			if at == 9 && share == 1 {
				m.Unanswered(series.Ack, 7*time.Second)
				m.Error("tls: \"bad\" \\ certificate")
			}
			if err := c.Add(share, at, m.Cut()); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := whole(t, c)
	l := count.New()
	l.Watch()
	l.Sent(0, 0)
	totals := l.Totals()
	r.Messages, r.Own.Kept, r.Own.CPU, r.Own.Cores = &totals, true, 3.5, 2
	r.Cost = &series.Cost{Devices: 24, PerDevice: 400, Base: 12e6, Messages: 20000, CPU: 8e-6}
	r.Outages = []series.Outage{{Second: 4, Devices: 10, Back: 2.5, Cause: "the shape reconnect-storm"}}
	return r
}

func TestRecord(t *testing.T) {
	r := recorded(t)
	if len(r.Points) != 10 || r.Seconds != 10 || r.Shares != 2 || r.Totals.Counts[series.Sent] != 20000 {
		t.Fatalf("%d points, %d seconds, %d shares, sent %d", len(r.Points), r.Seconds, r.Shares, r.Totals.Counts[series.Sent])
	}
	p := r.Points[4]
	if p.Connected != 20 || p.Devices != 24 || p.Counts[series.Sent] != 2000 || len(p.Latencies) != 1 || p.Latencies[0].Count != 2000 {
		t.Errorf("a second: %+v", p)
	}
	l, ok := r.Latency(series.Ack)
	if !ok || l.Count != 20001 || l.Unanswered != 1 || l.Max < 6.99 || l.P99 < 0.98 || l.P99 > 1 {
		t.Errorf("ack: %+v", l)
	}
	if _, ok := r.Latency(series.Command); ok {
		t.Error("knows a latency that was never noted")
	}
	if got := r.Quantile(series.Ack, 0.95); got < 0.949 || got > 0.952 {
		t.Errorf("p95 is %v s", got)
	}
}

// A share that cut late stands as it stood; one that fell silent counts for nothing from then on.
func TestSharesOutOfStep(t *testing.T) {
	c := series.NewCollector(start)
	one := func() *series.Slice {
		m := &series.Meter{}
		m.Set(series.Connected, 5)
		return m.Cut()
	}
	for at := range 100 {
		_ = c.Add(0, at, one())
		if at%3 == 0 {
			_ = c.Add(1, at, one())
		}
		if at < 50 {
			_ = c.Add(2, at, one())
		}
	}
	r := whole(t, c)
	for at, want := range map[int]int{0: 15, 1: 15, 2: 15, 49: 15, 50: 10, 99: 10} {
		if got := r.Points[at].Connected; got != want {
			t.Errorf("second %d: %d connected, want %d", at, got, want)
		}
	}
	if p, ok := c.Latest(); !ok || p.Second != 99 {
		t.Errorf("the latest whole second is %d, %v", p.Second, ok)
	}
}

// What comes after its second was summed up is in the counters, and in the latencies of the whole.
func TestLateSlice(t *testing.T) {
	c := series.NewCollector(start)
	for at := range 100 {
		if at == 7 {
			continue
		}
		_ = c.Add(0, at, filled().Cut())
	}
	_ = c.Add(1, 5, filled().Cut())
	_ = c.Add(1, 7, filled().Cut())
	r := whole(t, c)
	if p := r.Points[5]; !p.Partly || p.Counts[series.Sent] != 2000 || p.Latencies[0].Count != 1000 || p.Errors["connection refused"] != 2 {
		t.Errorf("second 5: %+v", p)
	}
	if p := r.Points[7]; p.Second != 7 || p.Counts[series.Sent] != 1000 || !p.Partly {
		t.Errorf("second 7: %+v", p)
	}
	if l, _ := r.Latency(series.Ack); l.Count != 101_000 {
		t.Errorf("%d latencies in all", l.Count)
	}
	for _, at := range []int{-1, 1 << 40} {
		if c.Add(0, at, filled().Cut()) == nil {
			t.Errorf("takes second %d", at)
		}
	}
}

func TestJSON(t *testing.T) {
	r := recorded(t)
	var b bytes.Buffer
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := series.Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r, got, cmpopts.IgnoreUnexported(series.Record{}), cmpopts.IgnoreFields(series.Record{}, "Histograms")); d != "" {
		t.Error(d)
	}
	if r.Quantile(series.Ack, 0.95) != got.Quantile(series.Ack, 0.95) {
		t.Error("p95 got lost on the way")
	}
	if _, err := series.Read(strings.NewReader(`{"schema":"other"}`)); err == nil {
		t.Error("reads another schema")
	}
}

func TestSchema(t *testing.T) {
	var b bytes.Buffer
	if err := series.Schema(&b); err != nil {
		t.Fatal(err)
	}
	const path = "../../docs/fleet-series.schema.json"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs, run with -update: %v", path, err)
	}
	doc, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("series.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("series.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*series.Record{recorded(t), whole(t, series.NewCollector(start))} {
		var b bytes.Buffer
		if err := r.JSON(&b); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(&b)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Error(err)
		}
	}
	if schema.Validate(map[string]any{"schema": "other"}) == nil {
		t.Error("the schema takes anything")
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := recorded(t).CSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 11 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	at := map[string]string{}
	for i, name := range rows[0] {
		at[name] = rows[10][i]
	}
	for name, want := range map[string]string{
		"second": "9", "connected": "20", "sent": "2000", "unanswered": "1", "error: connection refused": "2", "ack_count": "2001",
		"error: tls: \"bad\" \\ certificate": "1", "answer: CONNACK 0x97 quota exceeded": "2",
	} {
		if at[name] != want {
			t.Errorf("%s is %q, want %q", name, at[name], want)
		}
	}
	if v, err := strconv.ParseFloat(at["ack_p99_s"], 64); err != nil || v < 0.9 || v > 1 {
		t.Errorf("ack_p99_s is %q", at["ack_p99_s"])
	}
}

var (
	comment = regexp.MustCompile(`^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$`)
	sample  = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\n"])*",?)*)\})? ([-+0-9.eE]+|NaN|[-+]Inf)$`)
)

// TestPrometheus holds the text against the rules of the format: every line has its shape, a family has one TYPE before its samples, which
// stand together, no series twice, counters end in _total, and a summary has its _sum and _count.
func TestPrometheus(t *testing.T) {
	var b bytes.Buffer
	if err := recorded(t).Prometheus(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.HasSuffix(text, "\n") {
		t.Error("the last line does not end")
	}
	kind, seen, family := map[string]string{}, map[string]bool{}, ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := comment.FindStringSubmatch(line); m != nil {
			if m[1] == "TYPE" {
				if kind[m[2]] != "" {
					t.Errorf("%s has two types", m[2])
				}
				kind[m[2]], family = m[3], m[2]
			}
			continue
		}
		m := sample.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("not a line of the format: %q", line)
			continue
		}
		base := m[1]
		if kind[base] == "" {
			base = strings.TrimSuffix(strings.TrimSuffix(base, "_sum"), "_count")
		}
		if base != family {
			t.Errorf("%s stands outside its family", line)
		}
		if kind[base] == "counter" && !strings.HasSuffix(base, "_total") {
			t.Errorf("%s is a counter", base)
		}
		if seen[m[1]+m[2]] {
			t.Errorf("twice: %s", line)
		}
		seen[m[1]+m[2]] = true
		if _, err := strconv.ParseFloat(m[3], 64); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, want := range []string{
		"shakedown_fleet_sent_total 20000\n", "shakedown_fleet_connected 20\n",
		`shakedown_fleet_errors_total{class="tls: \"bad\" \\ certificate"} 1` + "\n", `shakedown_fleet_messages{state="lost"} 1` + "\n",
		`shakedown_fleet_latency_seconds_count{timing="ack"} 20001` + "\n", "shakedown_fleet_schedule_kept 1\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %s", want)
		}
	}
	// Of a run that has not begun there are counters at zero, and no summary without samples.
	if err := whole(t, series.NewCollector(start)).Prometheus(&b); err != nil {
		t.Error(err)
	}
	if err := recorded(t).Prometheus(broken{}); err == nil {
		t.Error("does not tell of a writer that fails")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A point of an hour's run is small, and what is not known in it is not written.
func TestPointIsSmall(t *testing.T) {
	text, err := json.Marshal(recorded(t).Points[3])
	if err != nil || len(text) > 500 {
		t.Errorf("%d bytes, %v: %s", len(text), err, text)
	}
}

// whole is the record of a collector.
func whole(t *testing.T, c *series.Collector) *series.Record {
	t.Helper()
	r, err := c.Record()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
