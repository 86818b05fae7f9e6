package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ReconnectFalseSuccess loses the device's session with its connection, and is slow to grant the subscriptions again.
var ReconnectFalseSuccess = &check.Check{
	ID:    "fault.reconnect-false-success",
	Title: "Calls itself online only when it can be reached again",
	Why: "A client library that is connected is not yet subscribed. " +
		"The app shows the device as online, sends a command, and nothing happens.",
	Pass:         "after a reconnect with a lost session, on which the broker answers SUBSCRIBE 5 s late, the device publishes its status of before only after that answer",
	Fix:          "publish the status after the SUBACK, not after the CONNACK",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"fault.reconnect.false_success"},
	Sources:      []string{"MQTT section 3.8.4: only SUBACK says that a subscription is in force"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"status"}},
	Impact:       check.Disturbs,
	Typical:      25 * time.Second,
	Limit:        45 * time.Minute,
	Run:          reconnectFalseSuccess,
}

// lateGrant is how long the broker takes to answer SUBSCRIBE.
const lateGrant = 5 * time.Second

// comeback is how a device told that it is back.
type comeback struct {
	status  string // payload of its status
	said    int    // number of the event with which it said that it is online; 0: it did not
	granted int    // number of the event of the SUBACK; 0: none was sent
	first   int
	last    int
}

func reconnectFalseSuccess(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	topic := product.Fill(t.Device.Part.MQTT.Status, t.Device.ID, 0, "")
	says := func(e evidence.Event, p *mqtt.Packet) bool {
		return p.Type == mqtt.PUBLISH && mqtt.Match(topic, p.Topic)
	}
	e, ok, err := t.Device.AwaitPacket(ctx, s.Mark, 10*time.Second, says)
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("see that mqtt.status is the topic on which it says that it is online", "it published nothing on %s within 10 s of connecting", topic)
	}
	birth, _ := broker.Got(e, mqtt.PUBLISH)
	f := comeback{status: string(birth.Payload)}
	t.Step("lose its session and its connection, and answer SUBSCRIBE %s late", lateGrant)
	t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.SUBACK, Do: broker.Delay(lateGrant)}))
	f.first = t.Log.Len()
	t.Broker.ForgetAll()
	next, err := t.Again(ctx, f.first)
	if err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, lateGrant+5*time.Second); err != nil {
		return err
	}
	for _, e := range t.Log.Since(f.first) {
		if e.Conn != next.Conn.Number() {
			continue
		}
		if p, ok := broker.Got(e, mqtt.PUBLISH); ok && f.said == 0 && mqtt.Match(topic, p.Topic) && string(p.Payload) == f.status {
			f.said = e.N
		}
		if _, ok := broker.Sent(e, mqtt.SUBACK); ok && f.granted == 0 {
			f.granted = e.N
		}
	}
	f.last = t.Log.Len() - 1
	if f.granted == 0 {
		return check.NotRun("see fault.broker-restart", "the device did not subscribe again after its session was lost")
	}
	t.Find(judgeComeback(f)...)
	return nil
}

func judgeComeback(f comeback) []check.Finding {
	if f.said == 0 || f.said > f.granted {
		return nil
	}
	return []check.Finding{{
		Title:    "Calls itself online before it can be reached",
		Expected: fmt.Sprintf("its status %.40q after the answer to its SUBSCRIBE", f.status),
		Seen:     "the status came before the answer",
		Evidence: check.Range(f.first, max(f.said, f.granted), "from the loss of the session to the answer"),
	}}
}
