package testbed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// Device is a real device under test.
type Device struct {
	Part product.Part
	ID   string // device id that it was given

	bed     *Bed
	drv     driver.Driver
	host    *internet.Host           // in this process; nil: it is elsewhere
	command *commandShape            // nil: none is declared
	sent    int                      // commands so far
	shows   map[string]product.Value // of the documents of a device that speaks CoAP
}

// ErrOffline says that the device did not come online in an ordinary world, so that nothing can be learned from it.
var ErrOffline = errors.New("the device did not come online")

// ErrAway is the ErrOffline of a device that had been online before, and did not come back by itself.
var ErrAway = fmt.Errorf("%w again", ErrOffline)

// Start powers the device on; it does not wait for it to connect.
func (d *Device) Start(ctx context.Context) error { return d.drv.Start(ctx) }

// Stop ends the device in the orderly way.
func (d *Device) Stop(ctx context.Context) error { return d.drv.Stop(ctx) }

// Cut takes the power away: the device does nothing more, and the network hears nothing of it. Its connections are silenced first,
// since the kernel of the machine would otherwise say goodbye for it. It is off afterwards; Start gives the power back.
func (d *Device) Cut(ctx context.Context) error {
	k, ok := d.drv.(driver.Killer)
	if !ok {
		return fmt.Errorf("cut the power of %s: %w", d.Part.Name, driver.ErrCannot)
	}
	if d.bed.Link != nil {
		d.bed.Link.Silence()
	}
	return k.Kill(ctx)
}

// Restart is Stop and Start.
func (d *Device) Restart(ctx context.Context) error {
	if err := d.drv.Stop(ctx); err != nil {
		return err
	}
	return d.drv.Start(ctx)
}

// Has reports whether the product file declares key; see product.Product.Declares.
func (d *Device) Has(key string) bool { return d.bed.Product.Declares(&d.Part, key) }

// ConnectWithin is how long the device may take from power-on to an accepted connection: as declared, or 120 s, which is the limit
// of AWS IoT Device Advisor.
func (d *Device) ConnectWithin() time.Duration {
	if w := time.Duration(d.bed.Product.Declared.ConnectWithin); w > 0 {
		return w
	}
	return 120 * time.Second
}

// Cap is the longest pause between two attempts that is in order: as declared, or 15 minutes, the most that the catalogue allows.
func (d *Device) Cap() time.Duration {
	if c := time.Duration(d.bed.Product.Declared.ReconnectCap); c > 0 {
		return c
	}
	return 15 * time.Minute
}

// Session is an accepted connection of the device.
type Session struct {
	Conn    *broker.Conn
	Connect *mqtt.Packet
	Version mqtt.Version
	Since   time.Time // when it was accepted
	Mark    int       // number of the CONNECT event
}

// KeepAlive is what the device asked for in CONNECT, or the broker imposed; 0 is off.
func (s *Session) KeepAlive() time.Duration {
	return time.Duration(s.Connect.Connect.KeepAlive) * time.Second
}

// Online starts the device and waits until it is connected and has subscribed. It is the positive control of most checks: its error
// is ErrOffline when the device does not make it in a world where nothing is wrong.
func (d *Device) Online(ctx context.Context) (*Session, error) {
	mark := d.bed.Log.Len()
	if err := d.Start(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", d.Part.Name, err)
	}
	s, err := d.NextSession(ctx, mark, d.ConnectWithin()*3/2)
	if err != nil {
		return nil, err
	}
	return s, d.Settle(ctx, s)
}

// NextSession waits up to within (device time) for a connection that is accepted after mark.
func (d *Device) NextSession(ctx context.Context, mark int, within time.Duration) (*Session, error) {
	first := mark
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	for {
		e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool { return accepts(e) || d.Ends(e) })
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("%w: no accepted connection within %s; %s", d.offline(first), within, Account(d.bed.Log.Since(first)))
		}
		if d.Ends(e) {
			return nil, fmt.Errorf("%w: its process ended: %s", d.offline(first), e.Text)
		}
		mark = e.N + 1
		if s := d.session(e); s != nil {
			return s, nil
		}
	}
}

// offline is ErrAway when the device was online before the event mark and was not started anew since, else ErrOffline.
func (d *Device) offline(mark int) error {
	err := ErrOffline
	for _, e := range d.bed.Log.Since(0) {
		switch {
		case e.N < mark && accepts(e):
			err = ErrAway
		case e.Kind == evidence.Power && e.Part == d.Part.Name && e.Text == "start":
			err = ErrOffline
		}
	}
	return err
}

// Ends reports whether e is the end of the device: that of a process that nothing starts anew.
func (d *Device) Ends(e evidence.Event) bool {
	return e.Kind == evidence.Exit && e.Part == d.Part.Name && d.Part.Driver == "process"
}

// Fresh ends what the device is doing, so that its next connection is a new one: it is stopped, or, when nothing but a person could
// start it again, cut off.
func (d *Device) Fresh(ctx context.Context) error {
	if !d.restarts() {
		d.bed.Link.Cut(false)
		return nil
	}
	return d.Stop(ctx)
}

func accepts(e evidence.Event) bool {
	p, ok := e.Data.(*mqtt.Packet)
	return ok && e.Kind == evidence.Out && p.Type == mqtt.CONNACK && p.Code == 0
}

// session finds the live connection that a CONNACK event belongs to; nil when it is gone already.
func (d *Device) session(connack evidence.Event) *Session {
	for _, c := range d.bed.Broker.Conns() {
		if c.Number() != connack.Conn {
			continue
		}
		return &Session{Conn: c, Connect: c.Connect(), Version: c.Version(), Since: connack.At, Mark: connack.N}
	}
	return nil
}

// Live is the connection that the broker accepted last, or nil when that has ended.
func (d *Device) Live() *Session {
	events := d.bed.Log.Since(0)
	for i := len(events) - 1; i >= 0; i-- {
		if accepts(events[i]) {
			return d.session(events[i])
		}
	}
	return nil
}

// Settle waits until the device has made its subscriptions: until one matches the declared command topic, or, without a declared
// command, until it has been quiet about subscriptions for a second of wall time. A device that publishes only is settled then too.
func (d *Device) Settle(ctx context.Context, s *Session) error {
	if d.command == nil {
		return d.quiet(ctx, s)
	}
	topic := d.command.topicFor(d, 0, "")
	for range 100 {
		for _, sub := range s.Conn.Subscriptions() {
			if mqtt.Match(sub.Filter, topic) {
				return nil
			}
		}
		if err := d.bed.Clock.Sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: it connected, but did not subscribe to its command topic %s within 20 s", ErrOffline, topic)
}

func (d *Device) quiet(ctx context.Context, s *Session) error {
	mark := s.Mark
	for {
		wait, cancel := context.WithTimeout(ctx, time.Second)
		e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
			p, ok := e.Data.(*mqtt.Packet)
			return ok && e.Kind == evidence.In && p.Type == mqtt.SUBSCRIBE
		})
		cancel()
		if err != nil {
			return ctx.Err()
		}
		mark = e.N + 1
	}
}
