package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// subackWithin is how long a device may wait for a SUBACK.
const subackWithin = 60 * time.Second

// SubackMissing withholds the answer to the first SUBSCRIBE.
var SubackMissing = &check.Check{
	ID:    "fault.suback-missing",
	Title: "Notices that its SUBSCRIBE was not answered",
	Why: "A broker that is overloaded drops a subscription now and then. " +
		"A device that waits for the answer for ever looks online and takes no command until its next reconnect.",
	Pass:         "within 60 s of a SUBSCRIBE without SUBACK the device subscribes again or closes the connection",
	Fix:          "start a timer with each SUBSCRIBE; when it ends, close the connection and start anew",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.suback.missing"},
	Sources:      []string{"MQTT-3.8.4-1 (3.1.1 and 5.0)", "AWS IoT Device Advisor, test MQTT Subscribe Retry No SubAck (demands a second SUBSCRIBE; here closing the connection will do)", "limit of 60 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      65 * time.Second,
	Limit:        10 * time.Minute,
	Run:          subackMissing,
}

func subackMissing(ctx context.Context, t *check.T) error {
	t.Step("start the device, and withhold its first SUBACK")
	withheld := make(chan int, 1)
	t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.SUBACK, Times: 1, Do: func(ex *broker.Exchange) {
		ex.Drop()
		withheld <- ex.Conn.Number()
	}}))
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if _, err := check.Subscriptions(s); err != nil {
		return err
	}
	answered, cancel := t.Clock.Timeout(ctx, 10*time.Second) // a SUBSCRIBE is seen a moment before its answer is due
	defer cancel()
	var conn int
	select {
	case conn = <-withheld:
	case <-answered.Done():
		return check.NotRun("clear the device's state", "it sent no SUBSCRIBE at its start")
	}
	first, ok, err := t.Device.AwaitPacket(ctx, 0, 0, func(e evidence.Event, p *mqtt.Packet) bool { return e.Conn == conn && p.Type == mqtt.SUBSCRIBE })
	if err != nil || !ok {
		return fmt.Errorf("find its first SUBSCRIBE: %w", err)
	}
	f, err := awaitRetry(ctx, t, first)
	if err != nil {
		return err
	}
	if f.how != "" {
		t.MeasureTime("SUBSCRIBE to "+f.how, f.after, "<= "+subackWithin.String())
		t.Record("AWS IoT Device Advisor would say: %s", f.advisor)
	}
	t.Find(judgeUnanswered(f)...)
	return nil
}

// unanswered is what a device did about a SUBSCRIBE without an answer.
type unanswered struct {
	how         string // empty: nothing
	advisor     string // the verdict of AWS IoT Device Advisor
	after       time.Duration
	first, last int
}

// awaitRetry waits up to 60 s from the event first for another SUBSCRIBE for the same filter, or the end of the connection.
func awaitRetry(ctx context.Context, t *check.T, first evidence.Event) (unanswered, error) {
	f := unanswered{first: first.N}
	asked, _ := broker.Got(first, mqtt.SUBSCRIBE)
	wait, cancel := t.Clock.Timeout(ctx, first.At.Add(subackWithin+t.Clock.Device(250*time.Millisecond)).Sub(t.Clock.Now()))
	defer cancel()
	e, err := t.Log.Await(wait, first.N+1, func(e evidence.Event) bool {
		if e.Conn == first.Conn && e.Kind == evidence.Close {
			return true
		}
		p, ok := broker.Got(e, mqtt.SUBSCRIBE)
		return ok && slices.ContainsFunc(p.Filters, func(s mqtt.Subscription) bool {
			return slices.ContainsFunc(asked.Filters, func(a mqtt.Subscription) bool { return a.Filter == s.Filter })
		})
	})
	f.last = t.Log.Len() - 1
	if err != nil {
		return f, ctx.Err()
	}
	f.after, f.last = e.At.Sub(first.At), e.N
	f.how, f.advisor = "a second SUBSCRIBE", "pass"
	if e.Kind == evidence.Close {
		f.how, f.advisor = "the end of the connection", "pass if it subscribes on the next connection"
	}
	return f, nil
}

func judgeUnanswered(f unanswered) []check.Finding {
	if f.how != "" {
		return nil
	}
	return []check.Finding{{
		Title:    "Waits for ever for the answer to its SUBSCRIBE",
		Expected: "another SUBSCRIBE or a closed connection within 60 s",
		Seen:     "for 60 s it did neither",
		Evidence: check.Range(f.first, f.last, "from the SUBSCRIBE on"),
	}}
}
