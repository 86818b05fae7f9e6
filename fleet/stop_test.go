package fleet

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// TestStop ends a course before its time: what was sent until then is accounted for to the message.
func TestStop(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	j := job(open(t, nil, nil), 40, 100*time.Millisecond, nil)
	j.Shape, j.For, j.Stop = "reconnect-storm", time.Hour, stop
	j.Fleet.Connects = 40
	r, err := Do(t.Context(), j, func(*series.Collector) {
		time.AfterFunc(2500*time.Millisecond, func() { close(stop) })
	})
	if err != nil {
		t.Fatal(err)
	}
	n := r.Totals.Counts
	if !r.Stopped || r.Seconds != 2 || len(r.Outages) > 0 || n[series.Accepted] != 40 || n[series.Sent] < 100 || r.Messages.Arrived != n[series.Sent] || n[series.Acked] != n[series.Sent] {
		t.Errorf("stopped %v after %d s, outages %v, accepted %d, sent %d, acknowledged %d, account %+v", r.Stopped, r.Seconds, r.Outages, n[series.Accepted], n[series.Sent],
			n[series.Acked], *r.Messages)
	}
	if notes := r.Load().Notes; len(notes) != 1 || notes[0] != "It was ended before its time, after 2 s." {
		t.Errorf("notes %q", notes)
	}
}

// TestStoppedBefore is stopped before it began.
func TestStoppedBefore(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	close(stop)
	j := job(open(t, nil, nil), 5, time.Second, nil)
	j.For, j.Stop = time.Hour, stop
	begun := time.Now()
	r, err := Do(t.Context(), j, nil)
	if time.Since(begun) > 15*time.Second || err == nil && !r.Stopped {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
}
