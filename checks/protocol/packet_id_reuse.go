package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// PacketIdReuse sends one message after the other under the same packet id.
var PacketIdReuse = &check.Check{
	ID:    "protocol.packet-id-reuse",
	Title: "Takes every message although the broker uses one packet id again",
	Why: "A packet id is free as soon as it is acknowledged, and some brokers use 1 for everything. " +
		"A device that remembers ids to recognise repetitions then obeys the first command after a start, and no other.",
	Pass:         "three commands with QoS 1 under one packet id, each sent after the PUBACK of the one before, all have their effect within 10 s",
	Fix:          "forget a packet id when it is acknowledged; recognise repeated commands by an id of their own in the payload",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"mqtt.pid.reuse-legal"},
	Sources:      []string{"MQTT-4.3.2-2 (3.1.1), MQTT-4.3.2-5 (5.0): after PUBACK an id stands for a new message, whatever its DUP flag"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}},
	Impact:       check.Observes,
	Typical:      10 * time.Second,
	Limit:        5 * time.Minute,
	Run:          packetIDReuse,
}

func packetIDReuse(ctx context.Context, t *check.T) error {
	if err := t.TellsEffects(); err != nil {
		return err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if qos, ok := s.Grants(t.Device.Command().Topic); !ok || qos == 0 {
		return check.NotApplicable("the device takes its commands with QoS 0, which has no packet ids")
	}
	t.Step("send three commands under one packet id")
	first, id := t.Log.Len(), s.Conn.NextID()
	var effects []bool
	for range 3 {
		c := t.Device.Command()
		p := c.Packet(s.Version)
		p.QoS, p.ID = 1, id
		mark := t.Log.Len()
		if err := s.Conn.Send(p); err != nil {
			return check.NotRun("", "the connection ended after %d commands", len(effects))
		}
		if _, err := t.Device.AwaitAck(ctx, s, mark, 10*time.Second, mqtt.PUBACK, id); err != nil {
			if ctx.Err() != nil {
				return err
			}
			return check.NotRun("see protocol.qos1-acknowledged", "the id cannot be used again: %v", err)
		}
		_, err := t.Device.AwaitEffect(ctx, c, mark, 10*time.Second)
		if ctx.Err() != nil {
			return err
		}
		effects = append(effects, err == nil)
	}
	if !effects[0] {
		return check.NotRun("see that the declared effect is what the device shows", "the first command had no effect either")
	}
	t.Find(judgeReuse(effects, id, first, t.Log.Len()-1)...)
	return nil
}

func judgeReuse(effects []bool, id uint16, first, last int) []check.Finding {
	missing := 0
	for _, shown := range effects {
		if !shown {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	return []check.Finding{{
		Title:    "Loses a message whose packet id was used before",
		Expected: fmt.Sprintf("an effect of each of %d commands under packet id %d", len(effects), id),
		Seen:     fmt.Sprintf("%d of them acknowledged without effect", missing),
		Evidence: check.Range(first, last, "the commands"),
	}}
}
