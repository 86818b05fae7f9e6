package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// pauses is how long a device was silent on one connection.
type pauses struct {
	longest     time.Duration
	first, last int           // numbers of the packets around the longest pause
	grace       time.Duration // what a pause may exceed a limit by: timers of libraries have steps of up to a second
}

// watchPauses looks at a session that ought to be silent for at most k, until a PINGREQ showed that it keeps to it or k is over, and
// then to the end of the pause that is under way. A pause is given up when it reaches 1.5 k.
func watchPauses(ctx context.Context, t *check.T, s *testbed.Session, k time.Duration) (pauses, error) {
	slack := t.Clock.Device(250 * time.Millisecond)
	p := pauses{grace: max(time.Second, slack)}
	before := lastPacket(t, s)
	enough := t.Clock.Now().Add(k)
	for {
		within := before.At.Add(k*3/2 + slack).Sub(t.Clock.Now())
		e, ok, err := t.Device.AwaitPacket(ctx, before.N+1, within, func(e evidence.Event, _ *mqtt.Packet) bool {
			return e.Conn == s.Conn.Number()
		})
		if err != nil {
			return p, err
		}
		if !ok {
			return p, p.gaveUp(ctx, t, s, before)
		}
		pause := e.At.Sub(before.At)
		if pause > p.longest {
			p.longest, p.first, p.last = pause, before.N, e.N
		}
		packet, _ := e.Data.(*mqtt.Packet)
		if packet.Type == mqtt.PINGREQ && pause > k/2 || e.At.After(enough) {
			return p, nil
		}
		before = e
	}
}

// gaveUp takes note of a pause without an end. It is an error when the device itself ended the connection.
func (p *pauses) gaveUp(ctx context.Context, t *check.T, s *testbed.Session, before evidence.Event) error {
	closed, err := t.Device.AwaitClose(ctx, s, before.N, 0)
	if err == nil && before.At.Add(p.grace).Before(closed.At) && closed.PartEnded() {
		return check.NotRun("find out from its console why it closes an idle connection", "it closed the connection by itself (%s)", closed.Text)
	}
	p.longest, p.first, p.last = t.Clock.Since(before.At), before.N, t.Log.Len()-1
	return ctx.Err()
}

// lastPacket is the last packet of the session so far: at least its CONNECT.
func lastPacket(t *check.T, s *testbed.Session) evidence.Event {
	var last evidence.Event
	for _, e := range t.Log.Since(0) {
		if _, ok := e.Data.(*mqtt.Packet); ok && e.Kind == evidence.In && e.Conn == s.Conn.Number() {
			last = e
		}
	}
	return last
}

// judgePause judges the longest pause by the keep-alive k that holds; whose says whose it is. A pause that reached 1.5 k has the
// severity of the check.
func judgePause(p pauses, k time.Duration, whose string) []check.Finding {
	f := check.Finding{
		Expected: fmt.Sprintf("a packet at least every %.0f s, which is %s", k.Seconds(), whose),
		Seen:     fmt.Sprintf("it was silent for %.1f s", p.longest.Seconds()),
		Evidence: check.Range(p.first, p.last, "the longest pause between two of its packets"),
	}
	switch {
	case p.longest >= k*3/2:
		f.Title = "Is silent until a server cuts it off"
		f.Seen += ", which is 1.5 times that or more"
	case p.longest > k+p.grace:
		f.Severity = check.Minor
		f.Title = "Pings later than " + whose + " demands"
	default:
		return nil
	}
	return []check.Finding{f}
}
