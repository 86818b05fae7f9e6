package series_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// near fails unless a latency is within a thousandth.
func near(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if d := (got - want).Abs(); d > want/1000+time.Microsecond {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// filled is a meter in whose interval 1000 messages took 1 to 1000 ms.
func filled() *series.Meter {
	m := &series.Meter{}
	m.Count(series.Sent, 1000)
	m.Set(series.Connected, 10)
	m.Set(series.Devices, 12)
	for i := range 1000 {
		m.Time(series.Ack, time.Duration(i+1)*time.Millisecond)
	}
	m.Error("connection refused")
	m.Answer("CONNACK 0x97 quota exceeded")
	return m
}

func TestCut(t *testing.T) {
	m := filled()
	s := m.Cut()
	if s.Counts[series.Sent] != 1000 || s.Gauge(series.Connected) != 10 || s.Timed(series.Ack) != 1000 || s.Timed(series.Lag) != 0 {
		t.Errorf("sent %d, connected %d, timed %d", s.Counts[series.Sent], s.Gauge(series.Connected), s.Timed(series.Ack))
	}
	near(t, "p99", s.Quantile(series.Ack, 0.99), 990*time.Millisecond)
	near(t, "max", s.Quantile(series.Ack, 1), time.Second)
	if d := cmp.Diff(series.Classes{"connection refused": 1}, s.Errors()); d != "" {
		t.Error(d)
	}
	m.Time(series.Ack, time.Millisecond)
	next := m.Cut()
	if next.Counts[series.Sent] != 0 || next.Timed(series.Ack) != 1 || len(next.Errors()) != 0 || next.Gauge(series.Devices) != 12 {
		t.Errorf("the next interval is not empty but for its gauges: %+v", next)
	}
}

func TestSlicesAddUp(t *testing.T) {
	a, b := filled().Cut(), filled().Cut()
	a.Add(b)
	a.Add(b)
	if a.Counts[series.Sent] != 3000 || a.Gauge(series.Connected) != 30 || a.Timed(series.Ack) != 3000 || a.Errors()["connection refused"] != 3 {
		t.Errorf("three alike: %+v", a)
	}
	if b.Timed(series.Ack) != 1000 || b.Counts[series.Sent] != 1000 {
		t.Error("what was added has changed")
	}
	near(t, "p50", a.Quantile(series.Ack, 0.5), 500*time.Millisecond)
}

func TestOddLatencies(t *testing.T) {
	m := &series.Meter{}
	m.Time(series.Delivery, -time.Second)
	m.Time(series.Delivery, 3*time.Hour)
	s := m.Cut()
	if s.Counts[series.Skewed] != 1 || s.Timed(series.Delivery) != 2 {
		t.Errorf("skewed %d, timed %d", s.Counts[series.Skewed], s.Timed(series.Delivery))
	}
	near(t, "max", s.Quantile(series.Delivery, 1), time.Hour)
}

func TestClassesAreFew(t *testing.T) {
	m := &series.Meter{}
	for i := range 1000 {
		m.Error(fmt.Sprintf("class %d", i))
	}
	m.Answer(strings.Repeat("x", 1<<20) + "\n")
	s := m.Cut()
	if got := s.Errors(); len(got) != 65 || got["other"] != 1000-64 {
		t.Errorf("%d classes, other %d", len(got), got["other"])
	}
	s.Add(s)
	for name, n := range s.Answers() {
		if len(name) > 120 || n != 2 {
			t.Errorf("%d times an answer of %d bytes", n, len(name))
		}
	}
}

func TestMeterAllocatesNothing(t *testing.T) {
	m := filled()
	if n := testing.AllocsPerRun(1000, func() {
		m.Count(series.Sent, 1)
		m.Time(series.Ack, time.Second)
		m.Error("connection refused")
		m.Answer("CONNACK 0x97 quota exceeded")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSliceTravels(t *testing.T) {
	s := filled().Cut()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 4000 {
		t.Errorf("a slice with 1000 latencies has %d bytes", len(text))
	}
	var got series.Slice
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(&got)
	if string(again) != string(text) || got.Timed(series.Ack) != 1000 || got.Gauge(series.Devices) != 12 {
		t.Errorf("sent     %s\nreceived %s", text, again)
	}
}

func TestSliceRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a counter that is not known":    `{"counts":{"smiles":1}}`,
		"a counter beyond belief":        `{"counts":{"sent":1000000000000000000}}`,
		"a gauge below zero":             `{"counts":{},"gauges":{"connected":-1}}`,
		"a timing that is not known":     `{"counts":{},"timings":{"nap":""}}`,
		"a histogram that is none":       `{"counts":{},"timings":{"ack":"AAAA"}}`,
		"a histogram of another shape":   `{"counts":{},"timings":{"ack":"HISTFAAAACV42pNpmSzMwMDAxQABzFCaEUzOmNZg/wEiQMAYBADNHAXi"}}`,
		"more than a mebibyte":           `{"counts":{},"errors":{"` + strings.Repeat("x", 1<<20) + `":1}}`,
		"what is not an object":          `[]`,
		"a histogram that is not base64": `{"counts":{},"timings":{"ack":"%%%"}}`,
	} {
		if err := json.Unmarshal([]byte(text), &series.Slice{}); err == nil {
			t.Errorf("takes %s", name)
		}
	}
}

func FuzzSlice(f *testing.F) {
	text, _ := json.Marshal(filled().Cut())
	f.Add(text)
	f.Add([]byte(`{"counts":{"sent":3},"gauges":{"devices":1},"errors":{"a\nb":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s series.Slice
		if json.Unmarshal(text, &s) != nil {
			return
		}
		first, err := json.Marshal(&s)
		if err != nil {
			t.Fatal(err)
		}
		var again series.Slice
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("does not read what it wrote: %v\n%s", err, first)
		}
		again.Add(&s)
		again.Quantile(series.Ack, 0.99)
	})
}

func BenchmarkTime(b *testing.B) {
	b.ReportAllocs()
	m := &series.Meter{}
	for i := range b.N {
		m.Time(series.Ack, time.Duration(i%1000000)*time.Microsecond)
		m.Count(series.Acked, 1)
	}
}

func BenchmarkCut(b *testing.B) {
	b.ReportAllocs()
	m := filled()
	for range b.N {
		for i := range 1000 {
			m.Time(series.Ack, time.Duration(i+1)*time.Millisecond)
		}
		m.Cut()
	}
}
