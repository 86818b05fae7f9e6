package client

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// patience is how long an answer may take, in device time.
const patience = 10 * time.Second

// Hello is the CONNECT packet that the options make.
func (o Options) Hello() *mqtt.Packet {
	return &mqtt.Packet{
		Type: mqtt.CONNECT, Version: o.Version, Props: o.Props,
		Connect: &mqtt.Connect{
			Protocol: "MQTT", Level: o.Version, Clean: o.Clean, KeepAlive: o.KeepAlive, ClientID: o.ClientID, Will: o.Will,
			HasUser: o.User != "", User: o.User, HasPass: o.Pass != "", Pass: []byte(o.Pass),
		},
	}
}

// nothing is what comes with an error: a packet without content.
func nothing() Received { return Received{Packet: &mqtt.Packet{}} }

// Connect sends CONNECT and returns the CONNACK, which may be a refusal. The error is ErrClosed or ErrNoAnswer.
func (c *Conn) Connect(ctx context.Context) (Received, error) {
	if err := c.Send(c.o.Hello()); err != nil {
		return nothing(), fmt.Errorf("%w: %w", ErrClosed, err)
	}
	ack, err := c.Await(ctx, patience, func(p *mqtt.Packet) bool { return p.Type == mqtt.CONNACK })
	if err == nil && ack.Code == 0 {
		c.keepAlive(uint16(ack.Props.Int(mqtt.ServerKeepAlive, uint32(c.o.KeepAlive))))
	}
	return ack, err
}

// NextID returns a packet identifier that this connection has not used before.
func (c *Conn) NextID() uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastID++
	return c.lastID
}

// Subscribe asks for filters and returns the codes of the SUBACK.
func (c *Conn) Subscribe(ctx context.Context, filters ...mqtt.Subscription) ([]byte, error) {
	return c.SubscribeWith(ctx, nil, filters...)
}

// SubscribeWith is Subscribe with properties.
func (c *Conn) SubscribeWith(ctx context.Context, props mqtt.Properties, filters ...mqtt.Subscription) ([]byte, error) {
	id := c.NextID()
	ack, err := c.ask(ctx, &mqtt.Packet{Type: mqtt.SUBSCRIBE, ID: id, Filters: filters, Props: props}, mqtt.SUBACK)
	return ack.Codes, err
}

// Unsubscribe gives filters up and waits for the UNSUBACK.
func (c *Conn) Unsubscribe(ctx context.Context, filters ...string) error {
	p := &mqtt.Packet{Type: mqtt.UNSUBSCRIBE, ID: c.NextID()}
	for _, f := range filters {
		p.Filters = append(p.Filters, mqtt.Subscription{Filter: f})
	}
	_, err := c.ask(ctx, p, mqtt.UNSUBACK)
	return err
}

// Publish sends m with an id of its own and waits for the acknowledgement that ends its handshake: none for QoS 0, PUBACK, PUBCOMP, or
// a PUBREC that refuses. While acknowledgements are held, a QoS 2 message ends with its PUBREC.
func (c *Conn) Publish(ctx context.Context, m mqtt.Packet) (Received, error) {
	m.Type = mqtt.PUBLISH
	switch m.QoS {
	case 0:
		return nothing(), c.Send(&m)
	case 1:
		m.ID = c.NextID()
		return c.ask(ctx, &m, mqtt.PUBACK)
	}
	m.ID = c.NextID()
	c.mu.Lock()
	held := c.held
	c.mu.Unlock()
	if err := c.Send(&m); err != nil {
		return nothing(), fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return c.Await(ctx, patience, func(p *mqtt.Packet) bool {
		return p.ID == m.ID && (p.Type == mqtt.PUBCOMP || p.Type == mqtt.PUBREC && (held || p.Code >= 0x80))
	})
}

// Ping sends a PINGREQ and waits up to within for one more PINGRESP than before.
func (c *Conn) Ping(ctx context.Context, within time.Duration) error {
	before := c.Count(mqtt.PINGRESP)
	if err := c.Send(&mqtt.Packet{Type: mqtt.PINGREQ}); err != nil {
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return c.until(ctx, within, func() bool { return c.countLocked(mqtt.PINGRESP) > before })
}

// Disconnect says goodbye with a DISCONNECT and ends the connection; code and props are those of 5.0. It gives the broker time to end it
// too, since a broker may take a later connection before it has read this one to its end.
func (c *Conn) Disconnect(code byte, props ...mqtt.Property) {
	_ = c.Send(&mqtt.Packet{Type: mqtt.DISCONNECT, Code: code, Props: props})
	c.set(func() {
		if c.ours == "" {
			c.ours = "we fin"
		}
	})
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		wait, cancel := c.o.Clock.Timeout(context.Background(), patience)
		defer cancel()
		select {
		case <-c.done:
		case <-wait.Done():
		}
	}
	c.Close()
}

func (c *Conn) ask(ctx context.Context, p *mqtt.Packet, answer mqtt.Type) (Received, error) {
	if err := c.Send(p); err != nil {
		return nothing(), fmt.Errorf("%w: %w", ErrClosed, err)
	}
	return c.Await(ctx, patience, func(q *mqtt.Packet) bool { return q.Type == answer && q.ID == p.ID })
}

// Await returns the first packet of the connection for which match holds, waiting for it up to within of device time. The error is
// ErrClosed or ErrNoAnswer. Packets that do not decode strictly are in the log as Bad events and are matched as far as they can be read.
func (c *Conn) Await(ctx context.Context, within time.Duration, match func(*mqtt.Packet) bool) (Received, error) {
	found := nothing()
	err := c.until(ctx, within, func() bool {
		i := slices.IndexFunc(c.got, func(r Received) bool { return match(r.Packet) })
		if i >= 0 {
			found = c.got[i]
		}
		return i >= 0
	})
	return found, err
}

// AwaitMessages waits up to within for n messages in all, and returns those that came.
func (c *Conn) AwaitMessages(ctx context.Context, within time.Duration, n int) ([]Received, error) {
	err := c.until(ctx, within, func() bool { return len(c.msgs) >= n })
	return c.Messages(), err
}

// AwaitClose waits up to within for the end of the connection. The error is ErrNoAnswer.
func (c *Conn) AwaitClose(ctx context.Context, within time.Duration) (Ending, error) {
	err := c.until(ctx, within, func() bool { return c.end != nil })
	if e := c.Ended(); e != nil {
		return *e, nil
	}
	return Ending{}, err
}

// Quiet returns when nothing has come for the span of device time, or the connection has ended.
func (c *Conn) Quiet(ctx context.Context, span time.Duration) error {
	for {
		c.mu.Lock()
		n := len(c.got)
		c.mu.Unlock()
		if err := c.until(ctx, span, func() bool { return len(c.got) > n }); err != nil {
			return ctx.Err()
		}
	}
}

// Messages are the messages that came so far, as an application gets them: a QoS 2 message once, with aliases resolved.
func (c *Conn) Messages() []Received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.msgs)
}

// Packets are all packets that came so far.
func (c *Conn) Packets() []Received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// Count is how many packets of a type came so far.
func (c *Conn) Count(t mqtt.Type) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.countLocked(t)
}

func (c *Conn) countLocked(t mqtt.Type) int {
	n := 0
	for _, r := range c.got {
		if r.Type == t {
			n++
		}
	}
	return n
}

// until waits up to within until met, which is called with the lock held, holds.
func (c *Conn) until(ctx context.Context, within time.Duration, met func() bool) error {
	wait, cancel := c.o.Clock.Timeout(ctx, within)
	defer cancel()
	for {
		c.mu.Lock()
		ok, end, changed := met(), c.end, c.changed
		c.mu.Unlock()
		if ok {
			return nil
		}
		if end != nil {
			return fmt.Errorf("%w (%s)", ErrClosed, end.By)
		}
		select {
		case <-changed:
		case <-wait.Done():
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w within %s", ErrNoAnswer, within)
		}
	}
}
