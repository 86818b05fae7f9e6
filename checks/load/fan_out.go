package load

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// FanOut publishes to all devices at once.
var FanOut = &check.Check{
	ID:    "load.fan-out",
	Title: "Delivers a message for all devices to each of them",
	Why: "A tariff change, an alarm or a call to update goes to the whole fleet in one message. The broker makes one for each device of " +
		"it, and where its queues are too short some devices never hear of it.",
	Pass: "each of 20 messages of QoS 1 on a topic that all connected devices subscribe to reaches every one of them, once or more, before the " +
		"course ends, for which there are 5 s at least",
	Fix:          "raise the queue of messages of a broker, and measure how long one message to all takes",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"MQTT 3.1.1 section 4.3.2: QoS 1 is at least once"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          fanOut,
}

const (
	calls = 20
	grant = 5 * time.Second // from the connection of the last device until its subscription must hold: a message before that is not for it
)

// fanned is what became of messages for all.
type fanned struct {
	devices int    // that were connected when they were sent
	sent    int    // messages that the broker acknowledged
	got     uint64 // of them by the devices, each once for each device
}

func fanOut(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	topic := shared(quiet(f), t.Cloud.Open())
	if topic == "" {
		return check.NotRun("give every class the same topic without placeholders under subscribe:", "there is no topic that all devices subscribe to")
	}
	l := testbed.Load{Fleet: f, For: span(f, 30*time.Second, 0.2), Blind: true, Notice: fmt.Sprintf("shakedown %x ", t.Clock.Now().UnixNano())}
	t.Step("connect %d devices, and publish %d messages for all of them on %s", f.Devices, calls, topic)
	o := fanned{devices: f.Devices}
	r, err := during(ctx, t, "Messages for all devices", l, showsConnections, func(ctx context.Context) error {
		c, err := t.LookOn(ctx, t.Cloud.Operator(f), nil)
		if err != nil {
			return err
		}
		if err := t.Clock.Sleep(ctx, grant); err != nil {
			return err
		}
		for ; o.sent < calls; o.sent++ {
			ack, err := c.Publish(ctx, mqtt.Packet{Topic: topic, QoS: 1, Payload: append([]byte(l.Notice), byte(o.sent))})
			if err != nil {
				return check.Refuses(err)
			}
			if ack.Code >= 0x80 {
				return check.NotRun("let operator: publish to "+topic, "its message was refused: %s", ack.Packet)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if up := atEnd(r); up < f.Devices {
		return check.NotRun("see what load.connect-ramp finds", "%d of %d devices were connected", up, f.Devices)
	}
	o.got = r.Totals.Counts[series.Noticed]
	t.Measure("deliveries", float64(o.got), "", fmt.Sprintf(">= %d", o.sent*o.devices))
	t.Find(judgeFanOut(o)...)
	return nil
}

// shared is a topic that all classes subscribe to, now at QoS 1; at a broker that is open to anyone one is made up.
func shared(f *product.Fleet, open bool) string {
	for _, candidate := range f.Classes[0].Subscribe {
		if strings.ContainsAny(candidate.Topic, "{+#") {
			continue
		}
		all := true
		for i := range f.Classes {
			own := false
			for j := range f.Classes[i].Subscribe {
				if s := &f.Classes[i].Subscribe[j]; s.Topic == candidate.Topic {
					own, s.QoS = true, 1
				}
			}
			all = all && own
		}
		if all {
			return candidate.Topic
		}
	}
	if !open {
		return ""
	}
	const topic = "shakedown/all"
	for i := range f.Classes {
		f.Classes[i].Subscribe = append(f.Classes[i].Subscribe, product.Filter{Topic: topic, QoS: 1})
	}
	return topic
}

func judgeFanOut(o fanned) []check.Finding {
	want := uint64(o.sent * o.devices)
	if o.got >= want {
		return nil
	}
	return []check.Finding{{
		Title: "Does not deliver a message for all devices to all of them",
		Seen: fmt.Sprintf("%d messages, all acknowledged, for %d connected devices reached %d of %d pairs of message and device in the 5 s or more that were left: %.1f %% are missing",
			o.sent, o.devices, o.got, want, 100*float64(want-o.got)/float64(want)),
	}}
}
