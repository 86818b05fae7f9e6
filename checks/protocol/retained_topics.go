package protocol

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

// RetainedTopics looks at what a device has the broker retain.
var RetainedTopics = &check.Check{
	ID:    "protocol.retained-topics",
	Title: "Has its state retained, and never a command",
	Why: "An app that is opened later sees nothing of a state that is not retained. " +
		"A retained message on a command topic is carried out again at every reconnect.",
	Pass:         "in 5 s after connecting and a command (if one is declared) no retained message goes to a topic that the device subscribes to (major); messages on the declared status topic are retained (major), and those on topics whose last level is state or status are (minor)",
	Fix:          "set retain on state and status, and on nothing else",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"mqtt.retained.own"},
	Sources:      []string{"MQTT 3.1.1 section 3.3.1.3", "MQTT 5.0 section 3.3.1.3", "Homie convention 4.0, Tasmota documentation on retained messages"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      10 * time.Second,
	Limit:        5 * time.Minute,
	Run:          retainedTopics,
}

func retainedTopics(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("look at the retain flag of what it publishes")
	if t.Device.Has("command") {
		c := t.Device.Command()
		if err := s.Send(c); err != nil {
			return check.NotRun("run the check again", "it was gone before the command: %v", err)
		}
	}
	if err := t.Clock.Sleep(ctx, 5*time.Second); err != nil {
		return err
	}
	var sent []evidence.Event
	for _, e := range t.Log.Since(0) {
		if _, ok := broker.Got(e, mqtt.PUBLISH); ok {
			sent = append(sent, e)
		}
	}
	if len(sent) == 0 {
		return check.NotApplicable("it published nothing")
	}
	t.Find(judgeRetained(sent, testbed.Filters(s.Conn.Subscriptions()), statusTopic(t))...)
	return nil
}

// judgeRetained judges PUBLISH packets of a device that subscribed to filters, one finding for each topic. Status may be empty.
func judgeRetained(sent []evidence.Event, filters []string, status string) []check.Finding {
	var found []check.Finding
	told := map[string]bool{}
	for _, e := range sent {
		p, _ := broker.Got(e, mqtt.PUBLISH)
		f := check.Finding{Seen: fmt.Sprintf("it sent %s", p), Evidence: check.Range(e.N, e.N, "the message")}
		switch {
		case p.Retain && len(p.Payload) > 0 && matchesAny(filters, p.Topic): // an empty one takes a retained message away
			f.Title = "Has a message retained on a topic that it takes commands from"
			f.Expected = "no retained message on " + p.Topic + ", to which it subscribes"
		case !p.Retain && p.Topic == status:
			f.Title = "Publishes its status without retain"
			f.Expected = "every message on " + p.Topic + " retained"
		case !p.Retain && p.Topic != status && tellsState(p.Topic) && !matchesAny(filters, p.Topic):
			f.Severity = check.Minor
			f.Title = "Publishes its state without retain"
			f.Expected = "messages on " + p.Topic + ", which is a state by its name, retained"
		default:
			continue
		}
		if !told[f.Title+p.Topic] {
			told[f.Title+p.Topic] = true
			found = append(found, f)
		}
	}
	return found
}

// tellsState reports whether a topic is one of a state by its name.
func tellsState(topic string) bool {
	last := topic[strings.LastIndex(topic, "/")+1:]
	return last == "state" || last == "status" || last == "$state"
}

func matchesAny(filters []string, topic string) bool {
	return slices.ContainsFunc(filters, func(f string) bool {
		_, f, _ = mqtt.SplitShare(f)
		return mqtt.Match(f, topic)
	})
}
