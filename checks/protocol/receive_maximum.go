package protocol

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

// ReceiveMaximum allows one unacknowledged publication and takes its time to acknowledge.
var ReceiveMaximum = &check.Check{
	ID:    "protocol.receive-maximum",
	Title: "Has no more publications in flight than the broker takes",
	Why: "A broker closes the connection when a client exceeds its Receive Maximum, which happens under load, when acknowledgements are late. " +
		"A device that does not count is disconnected just then, sends everything again and is disconnected again.",
	Pass: "with a Receive Maximum of 1 and acknowledgements 3 s late, never a second unacknowledged QoS 1 or 2 publication; " +
		"looked on for two of its usual pauses between measurements",
	Fix:          "count what is sent and not acknowledged, and let new messages wait at the Receive Maximum of CONNACK",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"mqtt.flow.receive-max-v5"},
	Sources:      []string{"MQTT-3.3.4-7 (5.0)", "MQTT-3.3.4-9 (5.0)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      time.Minute,
	Limit:        30 * time.Minute,
	Run:          receiveMaximum,
}

func receiveMaximum(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("announce a Receive Maximum of 1, and acknowledge 3 s late")
	heal := t.Impair(announce(t, func(o *broker.Options) { o.ReceiveMaximum = 1 }))
	prompt := t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Match: func(_ *broker.Conn, p *mqtt.Packet) bool {
		return p.Type == mqtt.PUBACK || p.Type == mqtt.PUBREC
	}, Do: broker.Delay(3 * time.Second)}))
	mark := t.Log.Len()
	if s, err = renew(ctx, t, s); err != nil {
		return err
	}
	if err := chatter(ctx, t, s); err != nil {
		return err
	}
	f := inFlight(t.Log.Since(mark))
	t.Measure("most publications in flight", float64(f.most), "", "<= 1")
	if f.published == 0 {
		return check.NotApplicable("it published nothing with QoS 1 or 2")
	}
	if f.most < 2 && f.published < 2 {
		return check.NotRun("declare telemetry_every or a command, so that it can be seen to publish more often", "it published only once with QoS 1 or 2, so that nothing had to wait")
	}
	t.Find(judgeInFlight(f)...)
	heal()
	prompt()
	if s, err = renew(ctx, t, s); err != nil {
		return err
	}
	p, err := t.Device.Probe(ctx, s, t.Log.Len(), t.Device.Cap()+30*time.Second)
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "a Receive Maximum of 1")...)
	return nil
}

// flight is what was seen of the device's QoS 1 and 2 publications.
type flight struct {
	published int
	most      int // unacknowledged at a time on one connection
	at        int // number of the event that made them so many
}

// inFlight counts, on each connection, publications for which no final acknowledgement was sent.
func inFlight(events []evidence.Event) flight {
	var f flight
	open := map[int]map[uint16]bool{}
	for _, e := range events {
		p, ok := e.Data.(*mqtt.Packet)
		if !ok {
			continue
		}
		switch {
		case e.Kind == evidence.In && p.Type == mqtt.PUBLISH && p.QoS > 0:
			f.published++
			if open[e.Conn] == nil {
				open[e.Conn] = map[uint16]bool{}
			}
			open[e.Conn][p.ID] = true
			if n := len(open[e.Conn]); n > f.most {
				f.most, f.at = n, e.N
			}
		case e.Kind == evidence.Out && (p.Type == mqtt.PUBACK || p.Type == mqtt.PUBCOMP || p.Type == mqtt.PUBREC && p.Code >= 0x80):
			delete(open[e.Conn], p.ID)
		}
	}
	return f
}

func judgeInFlight(f flight) []check.Finding {
	if f.most < 2 {
		return nil
	}
	return []check.Finding{{
		Title:    "Has more publications in flight than the broker takes",
		Expected: "at most 1, the Receive Maximum in CONNACK [MQTT-3.3.4-7]",
		Seen:     fmt.Sprintf("%d at a time, of %d publications", f.most, f.published),
		Evidence: check.Range(f.at, f.at, "the first that was too many"),
	}}
}
