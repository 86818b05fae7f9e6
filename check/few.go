package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// joining is how long the devices of a small fleet may take to connect for the first time.
const joining = 10 * time.Second

// Few is Fleet for checks that count messages: at most so many devices as connect within 10 s, of the classes that speak MQTT, that stay
// connected, each with one message, and the first of the class's commands, both of a QoS and at a pace. Where the cloud is open to anyone the
// devices also get a command and answer it. That no message is wanted twice, no filter of the operator overlaps another.
func (t *T) Few(ctx context.Context, devices, qos int, every time.Duration) (*product.Fleet, error) {
	f, err := t.Fleet(ctx)
	if err != nil {
		return nil, err
	}
	if t.Bed.Product.Fleet == nil {
		c := &f.Classes[0]
		c.Subscribe = []product.Filter{{Topic: "shakedown/{id}/command", QoS: qos}}
		text := `{"id":"{id}","stamp":"{stamp}"}`
		answer := &product.Post{Topic: "shakedown/{id}/answer", Payload: text, QoS: qos}
		c.Commands = []product.Answered{{Post: product.Post{Topic: "shakedown/{id}/command", Payload: text}, Answer: answer}}
	}
	if f.Classes = few(f.Classes, qos, every); len(f.Classes) == 0 {
		return nil, NotApplicable("no class of the fleet sends messages over MQTT that Shakedown can count: their payload needs {stamp}")
	}
	f.Devices = max(1, min(f.Devices, devices, int(f.Connects*joining.Seconds())))
	f.Tenants = min(f.Tenants, f.Devices)
	return f, nil
}

// few keeps what Few says of the classes of a fleet, and shares the devices out over those that are left.
func few(all []product.Class, qos int, every time.Duration) (kept []product.Class) {
	var filters []string
	sum := 0.0
	for _, c := range all {
		spoken := []product.Protocol{"", product.MQTT, product.MQTTS, product.WS, product.WSS}
		i := slices.IndexFunc(c.Telemetry, func(m product.Telemetry) bool { return strings.Contains(m.Payload, "{stamp}") })
		if i < 0 || !slices.Contains(spoken, c.Transport) {
			continue
		}
		m := c.Telemetry[i]
		filter := payload.Filter(m.Topic)
		if slices.ContainsFunc(filters, func(f string) bool { return f != filter && overlap(f, filter) }) {
			continue
		}
		filters = append(filters, filter)
		m.QoS, m.Every, m.Pace, m.Day = qos, product.Duration(every), "fixed", nil
		c.Telemetry, c.Sleep = []product.Telemetry{m}, nil
		c.Commands = slices.Clone(c.Commands[:min(1, len(c.Commands))])
		for k := range c.Commands {
			c.Commands[k].QoS, c.Commands[k].Every = qos, product.Duration(every)
		}
		sum += c.Share
		kept = append(kept, c)
	}
	for i := range kept {
		kept[i].Share /= sum
	}
	return kept
}

// overlap reports whether a topic can match two filters, which have no wildcard but +.
func overlap(a, b string) bool {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] != y[i] && x[i] != "+" && y[i] != "+" {
			return false
		}
	}
	return true
}

// Span is how long a course must be so that a fleet has joined within a third of it, and at least some time.
func Span(f *product.Fleet, least time.Duration) time.Duration {
	joins := time.Duration(float64(f.Devices) / f.Connects * float64(time.Second))
	return max(least, 3*joins)
}

// Count is Play for checks that go by the account of messages: a course in which none was acknowledged, that nobody watched, or that was to cut
// connections and found none, is a not-run.
func (t *T) Count(ctx context.Context, l testbed.Load) (*series.Record, error) {
	r, err := t.Play(ctx, l)
	if err != nil {
		return nil, err
	}
	n := r.Totals.Counts
	switch m := r.Messages; {
	case n[series.Accepted] == 0:
		return nil, NobodyIn(r)
	case l.Shape == "reconnect-storm" && !cutOff(r):
		return nil, NotRun("see what load.connect-ramp finds", "no device was connected when all connections were to be cut")
	case m == nil || !m.Watched || m.Acked == 0 || m.Arrived == 0:
		return nil, NotRun("let the operator of the fleet read what its devices send, and let them send it",
			"no message can be followed: %d sent, %d acknowledged, %d received", n[series.Sent], n[series.Acked], n[series.Received])
	}
	return r, nil
}

// NobodyIn is the not-run of a fleet of which no device was accepted.
func NobodyIn(r *series.Record) error {
	n := r.Totals.Counts
	return NotRun("see that the identities of the fleet are right, under fleet: in the product file",
		"no device of the fleet was accepted: %d attempts, %d refused, %d ended otherwise", n[series.Attempts], n[series.Refused], n[series.Broken])
}

// cutOff reports whether a course cut connections of devices.
func cutOff(r *series.Record) bool {
	return slices.ContainsFunc(r.Outages, func(o series.Outage) bool { return o.Devices > 0 })
}

// Such names the first messages of a sort of an account, as "stream/number"; see count.Totals.
func Such(m count.Totals, sort string) string {
	if len(m.Examples[sort]) == 0 {
		return ""
	}
	return fmt.Sprintf(", such as message %s", m.Examples[sort][0])
}
