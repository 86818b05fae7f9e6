package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// recoverWithin is how long a device may take from CONNACK to its subscriptions and retained messages.
const recoverWithin = 10 * time.Second

// BrokerRestart loses everything that the broker knows.
var BrokerRestart = &check.Check{
	ID:    "fault.broker-restart",
	Title: "Recovers by itself when the broker has lost everything",
	Why: "A broker that keeps its sessions in memory forgets them when it restarts, and every broker is replaced one day. " +
		"Devices that rely on its memory stay deaf or unseen until each is restarted by hand.",
	Pass:         "after a restart that lost sessions and retained messages the device is connected within twice its reconnect cap and 10 s, without a crash; within 10 s more its topic filters are subscribed, the topics on which it had a message retained have one again (major), and it answers",
	Fix:          "treat every connection with session present 0 as the first: subscribe to everything, publish status and state",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.session.broker-restart"},
	Sources:      []string{"MQTT-3.2.2-2 (3.1.1)", "MQTT 5.0 section 4.1.1", "github.com/mqttjs/MQTT.js issue 895"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        45 * time.Minute,
	Run:          brokerRestart,
}

func brokerRestart(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 2*time.Second); err != nil { // what it has to say at first
		return err
	}
	filters := testbed.Filters(s.Conn.Subscriptions())
	topics := retainedBy(t.Log.Since(0))
	t.Step("restart the broker, which loses everything")
	u := unheard{closed: true}
	mark, start := t.Log.Len(), t.Clock.Now()
	t.Broker.ForgetAll()
	next, err := u.awaitReturn(ctx, t, mark)
	if err != nil {
		return err
	}
	r := restarted{first: mark, limit: u.backWithin, back: next != nil}
	if next != nil {
		t.MeasureTime("broker restart to a new connection", next.Since.Sub(start), "<= "+u.backWithin.String())
		if r.unsubscribed, r.unsaid, err = afterRestart(ctx, t, next, filters, topics); err != nil {
			return err
		}
	}
	events := t.Log.Since(mark)
	for _, e := range exitsOf(events, t.Device.Part.Name) {
		r.exit = e.Text
	}
	r.last = mark + len(events) - 1
	found := judgeRestarted(r)
	if found == nil {
		p, err := t.Device.Probe(ctx, next, next.Mark, t.Device.Patience())
		if err != nil {
			return err
		}
		found = check.Alive(p, "a restart of the broker")
	}
	t.Find(found...)
	return nil
}

// retainedBy are the topics on which a device had a message retained at the end of events.
func retainedBy(events []evidence.Event) []string {
	var topics []string
	for _, e := range events {
		p, ok := broker.Got(e, mqtt.PUBLISH)
		if !ok || !p.Retain || p.Topic == "" {
			continue
		}
		topics = slices.DeleteFunc(topics, func(topic string) bool { return topic == p.Topic })
		if len(p.Payload) > 0 {
			topics = append(topics, p.Topic)
		}
	}
	return topics
}

// afterRestart waits up to 10 s of the session for what was lost, and returns what is still missing then.
func afterRestart(ctx context.Context, t *check.T, s *testbed.Session, filters, topics []string) (unsubscribed, unsaid []string, err error) {
	within := recoverWithin + t.Clock.Device(250*time.Millisecond)
	unsubscribed, _, err = t.Device.AwaitFilters(ctx, s, filters, within)
	for err == nil {
		unsaid = slices.DeleteFunc(slices.Clone(topics), func(topic string) bool {
			_, ok := t.Broker.Retained(topic)
			return ok
		})
		if len(unsaid) == 0 || t.Clock.Since(s.Since) > within {
			return unsubscribed, unsaid, nil
		}
		err = t.Clock.Sleep(ctx, 200*time.Millisecond)
	}
	return unsubscribed, unsaid, err
}

// restarted is what a device did when the broker had lost everything.
type restarted struct {
	back                 bool
	limit                time.Duration
	exit                 string   // the status with which its process ended by itself; empty: it did not
	unsubscribed, unsaid []string // filters and retained topics that did not come again
	first, last          int
}

func judgeRestarted(r restarted) []check.Finding {
	var found []check.Finding
	add := func(severity check.Severity, title, expected, seen string) {
		found = append(found, check.Finding{
			Severity: severity, Title: title, Expected: expected, Seen: seen,
			Evidence: check.Range(r.first, r.last, "from the restart of the broker on"),
		})
	}
	if r.exit != "" {
		add("", check.Ended(r.exit)+" when the broker restarts", "it goes on running", "its process ended by itself ("+r.exit+")")
	}
	if !r.back {
		add("", "Stays away after a restart of the broker", fmt.Sprintf("a new connection within %.0f s", r.limit.Seconds()), "none came")
		return found
	}
	if len(r.unsubscribed) > 0 {
		add("", "Is connected without its subscriptions after a restart of the broker", "its topic filters subscribed again within 10 s of CONNACK",
			"it did not subscribe again to "+strings.Join(r.unsubscribed, ", "))
	}
	if len(r.unsaid) > 0 {
		add(check.Major, "Does not publish again what the broker has lost", "a retained message within 10 s of CONNACK on each topic that had one of the device",
			"nothing was retained again on "+strings.Join(r.unsaid, ", "))
	}
	return found
}
