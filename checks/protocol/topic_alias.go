package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// TopicAlias sends commands by topic aliases, within what the device allows and outside of it.
var TopicAlias = &check.Check{
	ID:    "protocol.topic-alias",
	Title: "Understands the topic aliases that it allows, and no others",
	Why: "A broker uses topic aliases as soon as a client allows them, which the broker in the lab perhaps never did. " +
		"A device that allows them and does not understand them loses every command but the first.",
	Pass: "a command whose topic is an alias that was set takes effect within 10 s, when CONNECT allows aliases; " +
		"at alias 0 and above the allowed maximum it closes the connection within 5 s and carries nothing out",
	Fix:          "keep the topic of each alias for as long as the connection lasts, or announce no Topic Alias Maximum",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"mqtt.alias-v5"},
	Sources:      []string{"MQTT-3.3.2-8", "MQTT-3.3.2-10", "MQTT-3.3.2-11", "MQTT 5.0 section 3.3.2.3.4"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        30 * time.Minute,
	Run:          topicAlias,
}

func topicAlias(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	most := s.Connect.Props.Int(mqtt.TopicAliasMaximum, 0)
	if most > 0 && t.Device.Has("command") {
		if err := resolves(ctx, t, s); err != nil {
			return err
		}
	}
	return injectEachOn(ctx, t, s, func(c carrier) []injection { return wrongAliases(c, most) })
}

// resolves sends a command that sets an alias, and one by the alias alone. The first one's effect is the control.
func resolves(ctx context.Context, t *check.T, s *testbed.Session) error {
	t.Step("send two commands: one sets a topic alias, the other uses it")
	alias := mqtt.Properties{{ID: mqtt.TopicAlias, Int: 1}}
	mark := t.Log.Len()
	for i := range 2 {
		c := t.Device.Command()
		p := c.Packet(s.Version)
		p.QoS, p.Props = 0, alias
		if i == 1 {
			p.Topic = ""
		}
		if err := s.Conn.Send(p); err != nil {
			return check.NotRun("", "the connection ended before a topic alias could be used")
		}
		_, err := t.Device.AwaitEffect(ctx, c, mark, 10*time.Second+t.Clock.Device(slack))
		if ctx.Err() != nil {
			return err
		}
		if err != nil && i == 0 {
			return check.NotRun("see that the declared effect of the command shows for QoS 0 as well", "a command with its full topic and an alias: %v", err)
		}
		if err != nil {
			t.Find(check.Finding{
				Title:    "Does not understand a topic alias that it allows",
				Expected: "a command whose topic is an alias that was set takes effect within 10 s",
				Seen:     fmt.Sprintf("CONNECT allows %d aliases; the command that set alias 1 took effect, the one by alias 1 alone did not", s.Connect.Props.Int(mqtt.TopicAliasMaximum, 0)),
				Evidence: check.Range(mark, t.Log.Len()-1, "the two commands"),
			})
		}
	}
	return nil
}

func wrongAliases(c carrier, most uint32) []injection {
	alias := func(n uint32) func(p *mqtt.Packet) {
		return func(p *mqtt.Packet) { p.Props = mqtt.Properties{{ID: mqtt.TopicAlias, Int: n}} }
	}
	all := []injection{c.with("a PUBLISH with topic alias 0", alias(0))}
	if most < 65535 {
		all = append(all, c.with(fmt.Sprintf("a PUBLISH with topic alias %d, where %d are allowed", most+1, most), alias(most+1)))
	}
	return all
}
