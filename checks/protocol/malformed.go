package protocol

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// reaction is what a client has to do with a packet.
type reaction int

const (
	closes   reaction = iota // close the connection: it must by [MQTT-4.8.0-1] of 3.1.1, and should by section 4.13.1 of 5.0
	mayClose                 // close it or pass over the packet
	ignores                  // pass over the packet
)

const (
	closeWithin = 5 * time.Second
	slack       = 250 * time.Millisecond // wall time that the machine may take
)

// injection is a packet that a server must not send.
type injection struct {
	what    string // completes "after …"
	raw     []byte
	want    reaction
	answers func(*mqtt.Packet) bool // whether p takes the injection for a good packet; nil: nothing does
	reply   mqtt.Type               // that must come; 0: none
	allowed bool                    // the command in it may be carried out
}

// carrier is a command to the device, or a message that it subscribed to, for smuggling in a malformed packet.
type carrier struct {
	*mqtt.Packet
	command *testbed.Command // nil: no effect tells it from others, so that only acknowledgements show that it was delivered
}

// carry makes a carrier with QoS 0.
func carry(t *check.T, s *testbed.Session) carrier {
	p := &mqtt.Packet{Type: mqtt.PUBLISH, Version: s.Version, Topic: "shakedown/" + t.Device.ID, Payload: []byte("shakedown")}
	if t.Device.Has("command") {
		c := t.Device.Command()
		p.Topic, p.Payload = c.Topic, c.Payload
		if t.Device.Telling() {
			return carrier{p, &c}
		}
		return carrier{p, nil}
	}
	if subs := s.Conn.Subscriptions(); len(subs) > 0 {
		p.Topic = testbed.TopicUnder(subs[0].Filter)
	}
	return carrier{p, nil}
}

// with is the carried PUBLISH as change leaves it.
func (c carrier) with(what string, change func(p *mqtt.Packet)) injection {
	p := *c.Packet
	change(&p)
	return injection{what: what, raw: p.Bytes(), answers: func(a *mqtt.Packet) bool {
		return p.QoS > 0 && (a.Type == mqtt.PUBACK || a.Type == mqtt.PUBREC) && a.ID == p.ID
	}}
}

// body is the carried PUBLISH behind its fixed header.
func (c carrier) body() []byte {
	raw := c.Bytes()
	_, n := binary.Uvarint(raw[1:])
	return raw[1+n:]
}

// injected is what was seen of the device after an injection.
type injected struct {
	injection
	version   mqtt.Version
	closed    time.Duration // from the injection to the device's DISCONNECT or close; negative: it did neither
	delivered bool          // the smuggled command was carried out
	answer    string        // with which it took the injection for a good packet
	replied   *mqtt.Packet  // the reply that must come
	crashed   bool          // its process ended by itself
	probe     testbed.Probe
}

// injectEach sends each of the injections on a connection of its own and hands over what is wrong with the device's reaction.
func injectEach(ctx context.Context, t *check.T, make func(carrier) []injection) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	return injectEachOn(ctx, t, s, make)
}

// injectEachOn is injectEach for a device that is online; it begins on session s.
func injectEachOn(ctx context.Context, t *check.T, s *testbed.Session, make func(carrier) []injection) (err error) {
	for i := range make(carry(t, s)) {
		if i > 0 {
			if s, err = renew(ctx, t, s); err != nil {
				return err
			}
		}
		c := carry(t, s)
		f, err := inject(ctx, t, s, c, make(c)[i])
		if err != nil {
			return err
		}
		t.Find(judgeInjected(f)...)
		if f.probe.Health == testbed.Deaf || f.probe.Health == testbed.StaysAway {
			t.Record("what comes after %s was not sent: one dead end decides", f.what)
			return nil
		}
	}
	return nil
}

// inject sends one injection and looks on until the device has closed the connection or had the time to, then probes it.
func inject(ctx context.Context, t *check.T, s *testbed.Session, c carrier, in injection) (injected, error) {
	t.Step("send %s", in.what)
	f := injected{injection: in, version: s.Version, closed: -1}
	mark := t.Log.Len()
	if err := s.Conn.SendRaw(in.what, in.raw); err != nil {
		return f, check.NotRun("", "the connection ended before %s could be sent", in.what)
	}
	limit := closeWithin
	if in.want != closes {
		limit = 2 * time.Second // a close after that is seen by the probe
	}
	if _, err := t.Device.AwaitClose(ctx, s, mark, limit+t.Clock.Device(slack)); ctx.Err() != nil {
		return f, err
	}
	var err error
	f.probe, err = t.Device.Probe(ctx, s, mark, t.Device.Cap()+30*time.Second)
	if err != nil {
		return f, err
	}
	f.observe(t.Log.Since(mark), s.Conn.Number(), c)
	return f, nil
}

// observe reads what the device did with the injection from the events since.
func (f *injected) observe(events []evidence.Event, conn int, c carrier) {
	var sent time.Time
	for _, e := range events {
		p, _ := e.Data.(*mqtt.Packet)
		switch {
		case e.Kind == evidence.Exit:
			f.crashed = true
		case c.command != nil && c.command.Shows(e):
			f.delivered = true
		case e.Conn != conn:
		case e.Kind == evidence.Out && p == nil && e.Text == f.what:
			sent = e.At
		case (e.Kind == evidence.In || e.Kind == evidence.Bad) && p != nil && f.answers != nil && f.answers(p):
			f.answer = p.String()
		case e.Kind == evidence.In && p != nil && p.Type == f.reply:
			f.replied = p
		}
	}
	if at, left := testbed.Left(events, conn); left && !sent.IsZero() {
		f.closed = at.Sub(sent)
	}
}

// renew ends the session, if it has not ended, and waits for the next, at last by starting the device anew.
func renew(ctx context.Context, t *check.T, s *testbed.Session) (*testbed.Session, error) {
	s.Conn.Close()
	next, err := t.Device.NextSession(ctx, s.Mark+1, t.Device.Patience())
	if errors.Is(err, testbed.ErrOffline) {
		return anew(ctx, t)
	}
	if err != nil {
		return nil, err
	}
	return next, check.Offline(t.Device.Settle(ctx, next))
}

// anew starts the device anew, so that its back-off does too, and waits for its session.
func anew(ctx context.Context, t *check.T) (*testbed.Session, error) {
	mark := t.Log.Len()
	if err := t.Device.Restart(ctx); err != nil {
		return nil, err
	}
	s, err := t.Device.NextSession(ctx, mark, t.Device.ConnectWithin()*3/2)
	if err != nil {
		return nil, check.Offline(err)
	}
	return s, check.Offline(t.Device.Settle(ctx, s))
}

// judgeInjected grades the reaction: deaf, crashed and gone for good first, then the command carried out, then what the standard says.
func judgeInjected(f injected) []check.Finding {
	if dead := check.Alive(f.probe, f.what); dead != nil {
		return dead
	}
	found := check.Finding{
		Expected: f.expected(),
		Evidence: check.Range(f.probe.First, f.probe.Last, "from the injection to the end of the probe"),
	}
	switch late := f.closed > closeWithin; {
	case f.crashed:
		found.Title = "Crashes after " + f.what + ", and starts anew"
		found.Seen = "its process ended by itself; it came back and works"
	case f.delivered && !f.allowed:
		found.Title = "Carries out the command in " + f.what
		found.Seen = "the effect of the command showed, as if the packet were a good one; " + f.ending()
	case f.answer != "":
		found.Title = "Takes " + f.what + " for a good packet"
		found.Seen = "it answered with " + f.answer + "; " + f.ending()
	case f.want == closes && (f.closed < 0 || late):
		found.Title = "Passes over " + f.what
		if late {
			found.Title = "Is slow to close the connection after " + f.what
		}
		found.Seen = f.ending() + "; nothing of the packet reached the application as far as can be seen, and it works on"
		found.Severity = check.Major
		if f.version == mqtt.V5 || late {
			found.Severity = check.Minor // section 4.13.1 of 5.0: a client should close, only a server must
		}
	case f.want == ignores && f.closed >= 0:
		found.Title = "Closes the connection over " + f.what
		found.Seen = f.ending() + ", and came back"
		found.Severity = check.Minor
	case f.reply != 0 && f.replied == nil:
		found.Title = "Leaves " + f.what + " unanswered"
		found.Expected = "a " + f.reply.String() + " comes, and it works on"
		found.Seen = "no " + f.reply.String() + " came"
		found.Severity = check.Minor
	default:
		return nil
	}
	return []check.Finding{found}
}

func (f injected) expected() string {
	switch {
	case f.want == ignores:
		return "it passes over the packet and works on"
	case f.want == mayClose:
		return "it closes the connection or passes over the packet; nothing of it is carried out"
	case f.version == mqtt.V5:
		return "it closes the connection within 5 s (MQTT 5.0, section 4.13.1); nothing of the packet is carried out"
	}
	return "it closes the connection within 5 s [MQTT-4.8.0-1]; nothing of the packet is carried out"
}

func (f injected) ending() string {
	if f.closed < 0 {
		return "it left the connection open"
	}
	return fmt.Sprintf("it closed the connection after %.1f s", f.closed.Seconds())
}
