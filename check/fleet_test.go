package check

import (
	"testing"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// TestProgress is a second of a fleet in one line: how many devices, how fast, at what cost and with what failures.
func TestProgress(t *testing.T) {
	p := series.Point{Connected: 990, Devices: 1000, Held: 1536 * 1000, Latencies: []series.Latency{{Timing: series.Ack, P99: 0.0123}, {Timing: series.Lag, P99: 1}}}
	p.Counts[series.Sent], p.Counts[series.Refused] = 120, 7
	const want = "990 of 1000 up, 120 messages/s, ack p99 12.3 ms, 7 failures, 1.5 KiB each"
	if got := now(p); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := now(series.Point{}); got != "0 of 0 up, 0 messages/s" {
		t.Error(got)
	}
}
