package load

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// few leaves at most n devices of a fleet.
func few(f *product.Fleet, n int) *product.Fleet {
	f.Devices = min(f.Devices, n)
	f.Tenants = min(f.Tenants, f.Devices)
	return f
}

// quiet leaves a fleet that stays connected and sends nothing, but for devices without a session, which are there by what they send.
func quiet(f *product.Fleet) *product.Fleet {
	for i := range f.Classes {
		c := &f.Classes[i]
		if c.Transport == "" || c.Transport.Carries(product.MQTT) {
			c.Telemetry = nil
		}
		c.Commands = nil
	}
	return awake(f)
}

// awake leaves a fleet that stays connected.
func awake(f *product.Fleet) *product.Fleet {
	for i := range f.Classes {
		f.Classes[i].Sleep = nil
	}
	return f
}

// span is how long a course must be so that the fleet has joined within a part of it, and at least some time.
func span(f *product.Fleet, least time.Duration, part float64) time.Duration {
	joins := float64(f.Devices) / f.Connects * float64(time.Second)
	return max(least, time.Duration(joins/part))
}

// shows is what a course must show so that anything can be learned from it.
type shows int

const (
	showsConnections shows = iota // devices were let in
	showsAcks                     // and messages of theirs were acknowledged
	showsArrivals                 // and somebody could see what of them arrives: without, that nothing was found means nothing
)

// played has a fleet live, and hands its record over for the report under a title. A course that does not show what it must is a not-run.
func played(ctx context.Context, t *check.T, title string, l testbed.Load, what shows) (*series.Record, error) {
	r, err := t.Play(ctx, l)
	if err != nil {
		return nil, err
	}
	return r, loaded(t, title, l, r, what)
}

// findIn hands over what was found in a course that was to show what arrives. Where nothing was, and nobody could have seen it, it is a not-run.
func findIn(t *check.T, r *series.Record, found []check.Finding) error {
	t.Find(found...)
	if len(found) > 0 {
		return nil
	}
	return lived(r, showsArrivals)
}

// lived says why nothing can be learned from a course that does not show what it must.
func lived(r *series.Record, what shows) error {
	n, m := r.Totals.Counts, r.Messages
	switch {
	case n[series.Accepted] == 0:
		return check.NobodyIn(r)
	case what >= showsAcks && n[series.Acked] == 0:
		return check.NotRun("have the fleet send telemetry of QoS 1, and let its operator read it", "no message of the fleet was acknowledged")
	case what >= showsArrivals && (m == nil || !m.Watched || m.Arrived == 0):
		return check.NotRun("give operator: an identity that may read what the fleet sends, and have its messages hold {stamp}", "nobody could see what arrives")
	}
	return nil
}

// harm is what a course cost devices and their messages, each in a few words. A message that was withheld is not harmed.
func harm(r *series.Record) (list []string) {
	n := r.Totals.Counts
	add := func(k, of uint64, format string) {
		if k > 0 {
			list = append(list, fmt.Sprintf(format, k, of))
		}
	}
	add(n[series.Refused], n[series.Attempts], "%d of %d attempts to connect were refused")
	add(n[series.Broken], n[series.Attempts], "%d of %d attempts to connect ended without an answer")
	add(n[series.Dropped], n[series.Accepted], "%d of %d connections were ended by the other side")
	add(n[series.Rejected], n[series.Sent], "%d of %d messages were answered with an error")
	add(n[series.Unanswered], n[series.Sent], "%d of %d messages were never acknowledged")
	if m := r.Messages; m != nil && m.Watched {
		add(m.LostAcked, m.Acked, "%d of %d acknowledged messages never arrived")
	}
	return list
}

// judgeHarm makes one finding of all that a course cost.
func judgeHarm(title string, r *series.Record) []check.Finding {
	list := harm(r)
	if len(list) == 0 {
		return nil
	}
	return []check.Finding{{Title: title, Seen: strings.Join(list, "; ") + reasons(r)}}
}

// reasons are the answers and errors of a course, the most frequent first, at most three.
func reasons(r *series.Record) string {
	l := r.Load()
	var words []string
	for _, c := range append(l.Answers, l.Errors...) {
		if words = append(words, fmt.Sprintf("%s (%d times)", c.Name, c.Count)); len(words) == 3 {
			break
		}
	}
	if len(words) == 0 {
		return ""
	}
	return ": " + strings.Join(words, ", ")
}

// atEnd is how many devices were connected in the last second of a course in which it is known.
func atEnd(r *series.Record) int {
	for i := len(r.Points) - 1; i >= 0; i-- {
		if p := r.Points[i]; p.Second < max(1, r.Seconds) {
			return p.Connected
		}
	}
	return 0
}

// loaded hands the record of a course over for the report, if anything can be learned from it.
func loaded(t *check.T, title string, l testbed.Load, r *series.Record, what shows) error {
	if err := lived(r, what); err != nil {
		return err
	}
	out := r.Load()
	out.Title, out.Target, out.Shape, out.Devices = title, t.Cloud.URL(), cmp.Or(l.Shape, product.Shapes[0].Name), l.Fleet.Devices
	t.Loaded(out)
	return nil
}

// during is played, with something that is done beside it once all devices are connected, or two thirds of the time have passed. It may note
// what it sees in the log, and measures nothing.
func during(ctx context.Context, t *check.T, title string, l testbed.Load, what shows, do func(context.Context) error) (*series.Record, error) {
	beside, end := context.WithCancel(ctx)
	defer end()
	collected, done := make(chan *series.Collector, 1), make(chan error, 1)
	l.Watch = func(c *series.Collector) { collected <- c }
	go func() {
		select {
		case c := <-collected:
			wait, stop := t.Clock.Timeout(beside, l.For*2/3)
			for p, ok := c.Latest(); !ok || p.Connected < l.Fleet.Devices; p, ok = c.Latest() {
				if t.Clock.Sleep(wait, 200*time.Millisecond) != nil {
					break
				}
			}
			stop()
			done <- do(beside)
		case <-beside.Done():
			done <- nil
		}
	}()
	r, err := t.Play(ctx, l)
	if err != nil {
		end()
		<-done
		return nil, err
	}
	if err := <-done; err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return r, loaded(t, title, l, r, what)
}
