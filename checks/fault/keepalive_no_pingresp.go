package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// KeepaliveNoPingresp keeps every answer of the broker from the device.
var KeepaliveNoPingresp = &check.Check{
	ID:    "fault.keepalive-no-pingresp",
	Title: "Gives up a connection on which its pings are not answered",
	Why: "A broker that hangs keeps its connections open. " +
		"A device that waits for it for ever is online for nobody until someone pulls its plug.",
	Pass:         "the device closes the connection within 1.5 times its keep-alive and 5 s of the first PINGREQ without an answer (or, when it sends none, of one keep-alive without an answer), and connects again within twice its reconnect cap and 10 s",
	Fix:          "start a timer with each PINGREQ, and close the connection when it ends before the PINGRESP comes",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.keepalive.no-pingresp"},
	Sources:      []string{"MQTT 3.1.1 section 3.1.2.10", "MQTT 5.0 section 3.12.4", "AWS IoT Device Advisor, test MQTT No Ack PingResp (same criterion, without our limits)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run:          keepaliveNoPingresp,
}

func keepaliveNoPingresp(ctx context.Context, t *check.T) error {
	t.Broker.Set(func(o *broker.Options) { o.Patient = true }) // the device is to give up, not the broker
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	k, err := check.KeepAlive(s)
	if err != nil {
		return err
	}
	t.Step("answer nothing any more; its keep-alive is %.0f s", k.Seconds())
	mark, start := t.Log.Len(), t.Clock.Now()
	heal := t.Impair(t.Broker.When(broker.Rule{
		Dir: broker.Out, Do: broker.Drop(),
		Match: func(c *broker.Conn, _ *mqtt.Packet) bool { return c == s.Conn },
	}))
	u := unheard{keepAlive: k, good: k*3/2 + 5*time.Second, still: k*3/2 + 5*time.Second, since: "its first ping without an answer"}
	ping, ok, err := t.Device.AwaitPacket(ctx, mark, k+time.Second, func(e evidence.Event, p *mqtt.Packet) bool {
		return e.Conn == s.Conn.Number() && p.Type == mqtt.PINGREQ
	})
	if err != nil {
		return err
	}
	start = start.Add(k)
	if ok {
		start = ping.At
	} else {
		u.since = "one keep-alive without an answer"
	}
	if err := u.awaitNotice(ctx, t, s, mark, start); err != nil {
		return err
	}
	t.MeasureTime(u.since+" to the end of the connection", u.after, "<= "+u.still.String())
	heal()
	if !u.closed {
		s.Conn.Close()
	}
	if _, err := u.awaitReturn(ctx, t, mark); err != nil {
		return err
	}
	t.Find(judgeUnheard(u)...)
	return nil
}
