package fleet

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

// TestLoops looks at how many event loops fleets get: as many as their work needs, and not more than there are processors.
func TestLoops(t *testing.T) {
	t.Parallel()
	all := processors
	for _, c := range []struct {
		what    string
		devices int
		every   time.Duration
		change  func(*Job)
		want    int
	}{
		{"20,000 messages a second", 1000, 50 * time.Millisecond, nil, 1},
		{"1,000,000 messages a second", 1000, time.Millisecond, nil, min(all, 20)},
		{"one message in ten minutes from each of 5,000", 5000, 10 * time.Minute, nil, 1},
		{"100,000 that may come back within a second", 100_000, 10 * time.Minute, nil, min(all, 11)},
		{"a share of 100,000", 100_000, 10 * time.Minute, func(j *Job) { j.To = 9000 }, 1},
		{"ten times as many in the morning", 1000, 50 * time.Millisecond, func(j *Job) { j.Shape = "morning-spike" }, min(all, 7)},
		{"20 pictures a second from each", 100, 50 * time.Millisecond, func(j *Job) {
			j.Fleet.Classes[0].Telemetry[0].Post = product.Post{Topic: "t", Payload: "{fill}", Size: 256 << 10}
		}, min(all, 2)},
		{"hubs of 50 children", 1000, 50 * time.Millisecond, func(j *Job) { j.Fleet.Classes[0].Children = 50 }, min(all, 20)},
		{"busy at noon", 1000, time.Second, func(j *Job) { j.Fleet.Classes[0].Telemetry[0].Day = []float64{0, 1e4, 0} }, min(all, 20)},
		{"commands", 1000, time.Minute, func(j *Job) {
			j.Fleet.Classes[0].Commands = []product.Answered{{Post: product.Post{Topic: "c/{id}"}, Every: product.Duration(time.Millisecond)}}
		}, min(all, 20)},
		{"subscribers", 1000, time.Minute, func(j *Job) { j.Fleet.Classes[0].Subscribe = []product.Filter{{Topic: "news"}} }, min(all, 20)},
		{"no more than one for 50 devices", 60, time.Microsecond, nil, 1},
	} {
		j := job(&far{Target: Target{Scheme: product.MQTT, Host: "127.0.0.1:1883"}}, c.devices, c.every, nil)
		j.Fleet.Connects = 1e6
		if c.change != nil {
			c.change(&j)
		}
		p, err := newPlan(t.Context(), j)
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := p.loops(); got != c.want {
			t.Errorf("%s: %d loops on %d processors, want %d", c.what, got, all, c.want)
		}
	}
}
