package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// FloodIn sends the device a thousand messages at once, as a broker does that kept them.
var FloodIn = &check.Check{
	ID:    "load.flood-in",
	Title: "Survives a thousand messages at once",
	Why: "After an outage a broker delivers all that it kept, and a script of the cloud sends a command to everybody twice a second. " +
		"A device that runs out of memory then restarts, connects and gets the same again.",
	Pass: "1,000 QoS 1 messages at once, within its Receive Maximum, are acknowledged within 60 s without a break of the connection; " +
		"then the next command takes effect",
	Fix:          "read no faster than messages are worked off, and announce a Receive Maximum in MQTT 5.0",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.flow.flood-in"},
	Sources:      []string{"MQTT 5.0 section 3.1.2.11.3: Receive Maximum"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        30 * time.Minute,
	Run:          floodIn,
}

const (
	flood      = 1000
	floodLimit = 60 * time.Second
)

// flooded is what was seen of a device during and after a flood.
type flooded struct {
	qos      byte
	acked    int
	took     time.Duration // until the last acknowledgement, or until it was given up
	closed   bool          // the device ended the connection
	restarts bool          // the process ended by itself
	probe    testbed.Probe
}

func floodIn(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	subs := s.Conn.Subscriptions()
	if len(subs) == 0 {
		return check.NotApplicable("it subscribes to nothing, so that no broker sends it messages")
	}
	message := broker.Message{Topic: testbed.TopicUnder(subs[0].Filter), Payload: []byte("shakedown"), QoS: 1}
	if t.Device.Has("command") { // one and the same: a thousand different ones would leave the range of what the device can be told
		c := t.Device.Command()
		message.Topic, message.Payload = c.Topic, c.Payload
	}
	f := flooded{qos: min(1, granted(subs, message.Topic))}
	t.Step("publish %d messages for it", flood)
	mark, start := t.Log.Len(), t.Clock.Now()
	for range flood {
		if t.Broker.Publish(message) == 0 {
			return check.NotRun("", "the device was not subscribed to %s any more", message.Topic)
		}
	}
	if err := f.drain(ctx, t, s, mark); err != nil {
		return err
	}
	f.took = t.Clock.Since(start)
	if f.probe, err = t.Device.Probe(ctx, s, mark, floodLimit+t.Clock.Device(250*time.Millisecond)); err != nil {
		return err
	}
	f.observe(t.Log.Since(mark), s.Conn.Number())
	if f.qos > 0 {
		t.MeasureTime("1,000 messages acknowledged within", f.took, "<= 60 s")
	}
	t.Find(judgeFlooded(f)...)
	return nil
}

// granted is the highest QoS of the subscriptions that match topic.
func granted(subs []mqtt.Subscription, topic string) (qos byte) {
	for _, sub := range subs {
		if mqtt.Match(sub.Filter, topic) {
			qos = max(qos, sub.QoS)
		}
	}
	return qos
}

// drain waits until the session has nothing left to acknowledge, the connection has ended, or the time is over.
func (f *flooded) drain(ctx context.Context, t *check.T, s *testbed.Session, mark int) error {
	wait, cancel := t.Clock.Timeout(ctx, floodLimit)
	defer cancel()
	acked := 0
	_, _ = t.Log.Await(wait, mark, func(e evidence.Event) bool { // the end of the time decides too
		if e.Conn == s.Conn.Number() && e.Kind == evidence.Close {
			return true
		}
		if f.qos == 0 {
			p, ok := broker.Sent(e, mqtt.PUBLISH)
			return ok && e.Conn == s.Conn.Number() && p.QoS == 0 && counts(&acked)
		}
		_, ok := broker.Got(e, mqtt.PUBACK)
		return ok && e.Conn == s.Conn.Number() && counts(&acked)
	})
	return ctx.Err()
}

// counts adds one to n and reports whether that makes a flood.
func counts(n *int) bool {
	*n++
	return *n >= flood
}

func (f *flooded) observe(events []evidence.Event, conn int) {
	for _, e := range events {
		switch {
		case e.Kind == evidence.Exit:
			f.restarts = true
		case e.Conn != conn:
		default:
			if _, ok := broker.Got(e, mqtt.PUBACK); ok {
				f.acked++
			}
		}
	}
	_, f.closed = testbed.Left(events, conn)
}

func judgeFlooded(f flooded) []check.Finding {
	if dead := check.Alive(f.probe, "1,000 messages at once"); dead != nil {
		return dead
	}
	found := check.Finding{
		Expected: "all 1,000 are acknowledged within 60 s, on the same connection, and it works on",
		Evidence: check.Range(f.probe.First, f.probe.Last, "from the first message to the end of the probe"),
	}
	switch {
	case f.restarts:
		found.Title = "Crashes at 1,000 messages at once, and starts anew"
		found.Seen = fmt.Sprintf("its process ended by itself after %d acknowledgements; it came back and works", f.acked)
	case f.closed:
		found.Title = "Drops its connection at 1,000 messages at once"
		found.Seen = fmt.Sprintf("it closed the connection after %d acknowledgements, and came back", f.acked)
	case f.qos > 0 && f.acked < flood:
		found.Title = "Does not acknowledge 1,000 messages within a minute"
		found.Seen = fmt.Sprintf("%d acknowledgements in %.0f s", f.acked, f.took.Seconds())
	default:
		return nil
	}
	return []check.Finding{found}
}
