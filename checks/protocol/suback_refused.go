package protocol

import (
	"context"
	"regexp"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// SubackRefused refuses every subscription of a device.
var SubackRefused = &check.Check{
	ID:    "protocol.suback-refused",
	Title: "Shows that its subscriptions were refused",
	Why: "A wrong policy for one batch refuses its subscriptions. " +
		"A device that takes no notice looks online, takes no command, and nobody learns why until customers call.",
	Pass:         "within 30 s of a SUBACK with 0x80 (5.0: 0x87) it subscribes again, closes the connection, prints a line about it, or publishes something about it that it did not publish before",
	Fix:          "read the return codes of SUBACK; report a refusal on the console and in the status, and ask again later",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2l"},
	Rows:         []string{"mqtt.suback.refused"},
	Sources:      []string{"MQTT 3.1.1 section 3.9.3", "MQTT 5.0 section 3.9.3", "eclipse/paho.mqtt.testing, test_subscribe_failure"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        40 * time.Minute,
	Run:          subackRefused,
}

func subackRefused(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if _, err := check.Subscriptions(s); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 5*time.Second); err != nil { // what it says when all is well
		return err
	}
	t.Step("lose its session, and refuse its subscriptions when it is back")
	normal := t.Log.Since(0)
	mark := t.Log.Len()
	t.Broker.Set(func(o *broker.Options) {
		o.Authorize = func(_ *broker.Conn, write bool, _ string) bool { return write }
	})
	t.Broker.ForgetAll()
	if s, err = t.Again(ctx, mark); err != nil {
		return err
	}
	wait, cancel := t.Clock.Timeout(ctx, resubscribeWithin)
	defer cancel()
	refused, err := t.Log.Await(wait, s.Mark, func(e evidence.Event) bool { _, ok := broker.Sent(e, mqtt.SUBACK); return ok })
	if err != nil {
		return check.NotRun("find out with protocol.session-absent or protocol.resubscribe why", "it did not subscribe again after a reconnect, so nothing was refused")
	}
	sign, err := awaitSign(ctx, t, refused.N+1, signs(t, normal))
	if err != nil {
		return err
	}
	if sign != "" {
		t.Record("it showed the refusal: %s", sign)
	}
	t.Find(judgeRefusedSubscription(sign, refused.N, t.Log.Len()-1)...)
	return nil
}

// awaitSign waits up to 30 s for an event that sign knows as a sign of a refusal, and returns what it was.
func awaitSign(ctx context.Context, t *check.T, mark int, sign func(evidence.Event) string) (string, error) {
	wait, cancel := t.Clock.Timeout(ctx, 30*time.Second)
	defer cancel()
	e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool { return sign(e) != "" })
	if err != nil {
		return "", ctx.Err()
	}
	return sign(e), nil
}

// aboutRefusal is what a console line about a refused subscription holds.
var aboutRefusal = regexp.MustCompile(`(?i)subscri|suback|refus|denied|reject|not.?auth|unauth|forbid|fail|error|0x8[07]|\b128\b|\b135\b`)

// signs tells what an event shows of a refused subscription; normal is what the device did when all was well. Status is where a
// device tells how it is: the declared topic, or that of its will.
func signs(t *check.T, normal []evidence.Event) func(evidence.Event) string {
	lines, messages := map[string]bool{}, map[string]bool{}
	status := statusTopic(t)
	for _, e := range normal {
		lines[e.Text] = lines[e.Text] || e.Kind == evidence.Console
		if p, ok := broker.Got(e, mqtt.PUBLISH); ok {
			messages[heading(p, status)] = true
		}
		if p, ok := broker.Got(e, mqtt.CONNECT); ok && p.Connect.Will != nil && status == "" {
			status = p.Connect.Will.Topic
		}
	}
	return func(e evidence.Event) string {
		p, ok := broker.Got(e, mqtt.PUBLISH)
		_, again := broker.Got(e, mqtt.SUBSCRIBE)
		switch {
		case again:
			return "it subscribed again"
		case e.PartEnded():
			return "it closed the connection"
		case e.Kind == evidence.Console && !lines[e.Text] && aboutRefusal.MatchString(e.Text):
			return "it printed " + e.Text
		case ok && !messages[heading(p, status)]:
			return "it published " + p.String()
		}
		return ""
	}
}

// heading is what makes a message one of its kind: its topic, and on the status topic its payload too.
func heading(p *mqtt.Packet, status string) string {
	if p.Topic == status {
		return p.Topic + "\n" + string(p.Payload)
	}
	return p.Topic
}

// statusTopic is the declared topic of birth and will; empty when none is declared.
func statusTopic(t *check.T) string {
	if !t.Device.Has("status") {
		return ""
	}
	return product.Fill(t.Device.Part.MQTT.Status, t.Device.ID, 0, "")
}

func judgeRefusedSubscription(sign string, first, last int) []check.Finding {
	if sign != "" {
		return nil
	}
	return []check.Finding{{
		Title:    "Takes no notice of a refused subscription",
		Expected: "within 30 s a sign of it: another SUBSCRIBE, a closed connection, a console line, a message",
		Seen:     "it stayed connected, and nothing showed that it takes no commands",
		Evidence: check.Range(first, last, "from SUBACK on"),
	}}
}
