package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// Command is one command to the device, unlike every other of the run.
type Command struct {
	N       int    // its number, from 5 on
	Token   string // its word
	Topic   string
	Payload []byte
	QoS     byte

	shows func(evidence.Event) bool
}

// Packet is the PUBLISH that carries the command; the connection gives it its packet id.
func (c Command) Packet(v mqtt.Version) *mqtt.Packet {
	return &mqtt.Packet{Type: mqtt.PUBLISH, Version: v, Topic: c.Topic, Payload: c.Payload, QoS: c.QoS}
}

// Shows reports whether e is the declared proof that the command was carried out.
func (c Command) Shows(e evidence.Event) bool { return c.shows(e) }

// Count is how often events show the command carried out.
func (c Command) Count(events []evidence.Event) int {
	n := 0
	for _, e := range events {
		if c.shows(e) {
			n++
		}
	}
	return n
}

// commandShape is a declared command, made ready.
type commandShape struct {
	product.Command
	when product.Program
}

// TakesCommands reports whether a command with an effect is declared for it.
func (d *Device) TakesCommands() bool { return d.command != nil }

// prepare compiles what the product file declares about the device.
func (d *Device) prepare() error {
	if err := d.prepareCoAP(); err != nil {
		return err
	}
	if d.Part.MQTT == nil || d.Part.MQTT.Command == nil {
		return nil
	}
	d.command = &commandShape{Command: *d.Part.MQTT.Command}
	if w := d.command.Effect.When; w != "" {
		p, err := product.CompileEffect(w)
		if err != nil {
			return fmt.Errorf("compile the effect of the command: %w", err)
		}
		d.command.when = p
	}
	return nil
}

// Command makes a new command. Needs must ask for the declared value "command".
func (d *Device) Command() Command {
	n, token := d.next()
	s := d.command
	c := Command{
		N: n, Token: token, QoS: byte(s.QoS),
		Topic:   s.topicFor(d, n, token),
		Payload: []byte(product.Fill(s.Payload, d.ID, n, token)),
	}
	c.shows = s.effect(d, n, token)
	return c
}

// Order is a command with another of the product file's payloads, and the same effect.
func (d *Device) Order(payload string) Command {
	c := d.Command()
	c.Payload = []byte(product.Fill(payload, d.ID, c.N, c.Token))
	return c
}

// Bad is a command with another payload and a token that no effect can show.
func (d *Device) Bad(payload []byte) Command {
	c := d.Command()
	c.Payload = payload
	return c
}

func (s *commandShape) topicFor(d *Device, n int, token string) string {
	return product.Fill(s.Topic, d.ID, n, token)
}

func (s *commandShape) effect(d *Device, n int, token string) func(evidence.Event) bool {
	if s.Effect.Console != "" {
		re, err := regexp.Compile(product.FillPattern(s.Effect.Console, d.ID, n, token))
		return func(e evidence.Event) bool {
			return err == nil && e.Kind == evidence.Console && e.Part == d.Part.Name && re.MatchString(e.Text)
		}
	}
	filter := product.Fill(s.Effect.Topic, d.ID, n, token)
	return func(e evidence.Event) bool {
		p, ok := e.Data.(*mqtt.Packet)
		if !ok || e.Kind != evidence.In || p.Type != mqtt.PUBLISH || p.Dup || !mqtt.Match(filter, p.Topic) {
			return false
		}
		if s.Effect.When == "" {
			return true
		}
		vars := product.Vars{Text: string(p.Payload), Topic: p.Topic, N: n, Token: token, ID: d.ID}
		if json.Unmarshal(p.Payload, &vars.Payload) != nil {
			vars.Payload = nil
		}
		held, err := s.when.Eval(vars)
		return err == nil && held
	}
}

// named finds the token or the number of a command in a CEL condition, where it is not a field or within a text.
var named = regexp.MustCompile(`(^|[^\w."'])(token|n)\b`)

// Telling reports whether the declared effect names its command, by token or number. Only then can be seen that one command was
// carried out and another was not: "any message on the topic" shows nothing of either.
func (d *Device) Telling() bool {
	if d.command == nil {
		return false
	}
	e := d.command.Effect
	placed := e.Console + e.Topic
	return strings.Contains(placed, "{token}") || strings.Contains(placed, "{n}") || named.MatchString(e.When)
}

// Send publishes the command on the session's connection.
func (s *Session) Send(c Command) error {
	p := c.Packet(s.Version)
	if p.QoS > 0 {
		p.ID = s.Conn.NextID()
	}
	return s.Conn.Send(p)
}

// AwaitEffect waits up to within (device time) for the proof that c was carried out, in the events from mark on.
func (d *Device) AwaitEffect(ctx context.Context, c Command, mark int, within time.Duration) (evidence.Event, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, c.shows)
	if err != nil && ctx.Err() != nil {
		return e, ctx.Err()
	}
	if err != nil {
		return e, fmt.Errorf("no effect of command %s within %s", c.Token, within)
	}
	return e, nil
}
