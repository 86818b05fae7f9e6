package testbed

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// Health is what a probe found a device to be.
type Health string

// The healths. Deaf is the worst: the link is open, the broker believes all is well, and nothing gets through.
const (
	Answers   Health = "answers"    // on the connection that it had
	CameBack  Health = "came back"  // closed that connection, connected anew, and answers there
	Deaf      Health = "deaf"       // neither closes nor answers
	StaysAway Health = "stays away" // closed the connection and did not connect anew in time
	Exited    Health = "exited"     // its process ended by itself and did not connect anew in time
)

// Probe is what was seen of a device after something was done to it.
type Probe struct {
	Health   Health
	How      string        // what was asked of it
	Took     time.Duration // device time until it answered, or until it was given up
	Closed   time.Time     // when its connection ended; zero: it did not
	ClosedBy string
	Exit     string // with which status its process ended by itself; empty: it did not
	First    int    // numbers of the events that show it
	Last     int
}

// Probe finds out whether the device still works, after the events from mark on. It asks for something that the device must answer:
// a command with a declared effect, else the acknowledgement of a QoS 1 message on a topic that it subscribed to, else any sign of
// life within 1.5 times its keep-alive. Without an answer it waits for the end of the connection, for twice the keep-alive + 10 s:
// some clients notice as late as that. Within bounds the wait for a device that closed the connection to come back, in device time.
func (d *Device) Probe(ctx context.Context, s *Session, mark int, within time.Duration) (Probe, error) {
	b := d.bed
	start := b.Clock.Now()
	p := Probe{First: mark}
	done := func(h Health) (Probe, error) {
		p.Health, p.Took, p.Last = h, b.Clock.Since(start), max(mark, b.Log.Len()-1)
		return p, ctx.Err()
	}
	answered, how := d.ask(ctx, s)
	p.How = how
	if answered {
		return done(Answers)
	}
	if ctx.Err() != nil {
		return p, ctx.Err()
	}
	closed, err := d.AwaitClose(ctx, s, mark, s.KeepAlive()*2+10*time.Second)
	if err != nil {
		return done(Deaf)
	}
	p.Closed, p.ClosedBy = closed.At, closed.Text
	next, err := d.NextSession(ctx, mark, within)
	if err == nil && d.Settle(ctx, next) == nil {
		if answered, p.How = d.ask(ctx, next); answered {
			return done(CameBack)
		}
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
		return done(Deaf)
	}
	for _, e := range b.Log.Since(mark) {
		if e.Kind == evidence.Exit && e.Part == d.Part.Name {
			p.Exit = e.Text
			return done(Exited)
		}
	}
	if _, left := Left(b.Log.Since(mark), s.Conn.Number()); !left {
		return done(Deaf) // the broker gave it up; the device does not know yet
	}
	return done(StaysAway)
}

// Left is when the device itself ended connection conn, by DISCONNECT or by closing it, and whether it did, in events.
func Left(events []evidence.Event, conn int) (at time.Time, ok bool) {
	for _, e := range events {
		if e.Conn != conn {
			continue
		}
		p, packet := e.Data.(*mqtt.Packet)
		if e.Kind == evidence.In && packet && p.Type == mqtt.DISCONNECT || e.PartEnded() {
			return e.At, true
		}
	}
	return time.Time{}, false
}

// AwaitClose waits up to within (device time) for the end of the session's connection, in the events from mark on.
func (d *Device) AwaitClose(ctx context.Context, s *Session, mark int, within time.Duration) (evidence.Event, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	return d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		return e.Kind == evidence.Close && e.Conn == s.Conn.Number()
	})
}

// ask puts one question to the device on session s and reports whether it was answered before the connection ended.
func (d *Device) ask(ctx context.Context, s *Session) (answered bool, how string) {
	b := d.bed
	mark := b.Log.Len()
	wait := 10 * time.Second
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.Conn.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	if d.command != nil {
		c := d.Command()
		if s.Send(c) != nil {
			return false, "a command"
		}
		_, err := d.AwaitEffect(ctx, c, mark, wait)
		return err == nil, "a command"
	}
	if topic, ok := ackable(s); ok {
		id := s.Conn.NextID()
		err := s.Conn.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Version: s.Version, Topic: topic, Payload: []byte("probe"), QoS: 1, ID: id})
		if err != nil {
			return false, "the acknowledgement of a QoS 1 message"
		}
		return d.hears(ctx, s, mark, wait, func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBACK && p.ID == id }),
			"the acknowledgement of a QoS 1 message"
	}
	if k := s.KeepAlive() * 3 / 2; k > wait {
		wait = k + 5*time.Second
	}
	return d.hears(ctx, s, mark, wait, func(*mqtt.Packet) bool { return true }), "a sign of life"
}

// hears waits for a packet on session s for which match holds.
func (d *Device) hears(ctx context.Context, s *Session, mark int, within time.Duration, match func(*mqtt.Packet) bool) bool {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	_, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		p, ok := e.Data.(*mqtt.Packet)
		return ok && e.Kind == evidence.In && e.Conn == s.Conn.Number() && match(p)
	})
	return err == nil
}

// ackable is a topic that the device subscribed to with QoS 1 or 2, without wildcards in the way.
func ackable(s *Session) (topic string, ok bool) {
	for _, sub := range s.Conn.Subscriptions() {
		if sub.QoS > 0 {
			return TopicUnder(sub.Filter), true
		}
	}
	return "", false
}
