package fleet

import (
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

// What CoAP and HTTP share: a device sends requests and gets answers. There is no session: the first answer is what says that a device is
// connected, and its first message is what asks for it.

// media is how a payload is named: the content format of CoAP, which is below 256, with -1 for none, and the media type of HTTP.
type media struct {
	format int
	name   string
}

// mediaOf is that of a message.
func mediaOf(p product.Post) media {
	if p.Payload == "" {
		return media{format: -1}
	}
	encoding := p.Encoding
	if encoding == "" {
		encoding = product.EncodingOf(p.Payload)
	}
	return media{int(payload.ContentFormat(encoding)), payload.MediaType(encoding)}
}

// onlyRequests says what a class has that its protocol has not.
func (c *class) onlyRequests() error {
	switch {
	case len(c.Class.Commands) > 0 || len(c.Subscribe) > 0 || c.Class.Will != nil:
		return errors.New("will, subscribe and commands are of MQTT\nhint: delete the keys, or give the class a transport of MQTT")
	case len(c.posts) == 0:
		return errors.New("no telemetry\nhint: a device of CoAP or HTTP is nothing but what it sends")
	}
	return nil
}

// hello sends a device's first message on a new connection: the oldest that waits, or else one beyond its pace.
func (s *shard) hello(i int32, now int64) {
	s.requeue(i, now)
	d := &s.devices[i]
	c := s.classOf(i)
	if x := d.x; x != nil && len(x.backlog) > 0 {
		m := x.backlog[0]
		x.backlog = x.backlog[1:]
		c.speaks.post(s, i, s.postOf(m.stream), m, now)
		return
	}
	if s.stopping {
		return
	}
	k := i * int32(s.perEach)
	m := pending{due: now, stream: k, seq: s.streams[k].seq}
	s.streams[k].seq++
	c.speaks.post(s, i, s.postOf(k), m, now)
}

// requeue is about requests that got no answer on the connection before: a device with a buffer sends them again.
func (s *shard) requeue(i int32, now int64) {
	x := s.devices[i].x
	if x == nil || len(x.flights) == 0 {
		return
	}
	again := make([]pending, 0, len(x.flights)+len(x.backlog))
	for _, f := range x.flights {
		switch {
		case !f.waits():
		case s.classOf(i).Buffer > 0:
			again = append(again, pending{due: f.due, stream: f.stream, seq: f.seq, sent: true})
		default:
			s.unanswered(f, now)
		}
	}
	x.flights, x.backlog = nil, append(again, x.backlog...)
}

// noteSent counts a message that is about to be sent.
func (s *shard) noteSent(m pending) {
	if !m.sent {
		s.ledger.Sent(s.sourceOf(m.stream), m.seq)
		s.meter.Count(series.Sent, 1)
	}
}

// land takes a message out of those in flight.
func (d *device) land(k int) flight {
	all := d.x.flights
	f := all[k]
	d.x.flights = append(all[:k], all[k+1:]...)
	return f
}

// answered acts on the answer to a message, which is no longer in flight: what it says in a few words, where it is not good, and until
// when it asks the device to wait, or 0.
func (s *shard) answered(i int32, f flight, bad string, hold, now int64) {
	d := &s.devices[i]
	greets := d.state == greeting
	if hold > 0 && !greets {
		d.more().hold = hold
		s.timers.by(i, hold)
	}
	switch {
	case bad == "":
		s.meter.Count(series.Acked, 1)
		s.meter.Time(series.Ack, time.Duration(now-f.due))
		s.ledger.Acked(s.sourceOf(f.stream), f.seq)
		if greets {
			s.accepted(i, now)
			return
		}
	case greets:
		s.meter.Count(series.Rejected, 1)
		s.refused(i, bad, now)
		if hold > 0 && d.state == waiting {
			s.timers.set(i, max(hold, s.timers.due(i)))
		}
		return
	default:
		s.meter.Count(series.Rejected, 1)
		s.meter.Answer(bad)
	}
	if d.state == up && d.x != nil && len(d.x.backlog) > 0 {
		s.drainBacklog(i, now)
	}
}

// knock is the timer of a datagram device whose first message is not answered yet.
func (s *shard) knock(i int32, now int64) {
	d := &s.devices[i]
	turn := d.turn
	next := s.classOf(i).speaks.idle(s, i, now)
	switch {
	case d.turn != turn:
	case next == 0:
		s.fail(i, "no answer to "+s.classOf(i).speaks.opens()+" in time", now)
	default:
		s.timers.set(i, now+int64(next))
	}
}

// resting is how long a device waits because the other side asked for it; when it has waited, what was due is sent.
func (s *shard) resting(i int32, now int64) time.Duration {
	x := s.devices[i].x
	switch {
	case x == nil || x.hold == 0:
		return 0
	case x.hold > now:
		return time.Duration(x.hold - now)
	}
	x.hold = 0
	if s.devices[i].state == up {
		s.drainBacklog(i, now)
	}
	return 0
}

// tooFast says whether a device of a class sends more than so many messages within a time at its fastest.
func (p *plan) tooFast(c *class, most int, within time.Duration) error {
	rate := 0.0
	for _, w := range c.posts {
		peak := 1.0
		for _, f := range w.day {
			peak = max(peak, f)
		}
		rate += peak * float64(within) / float64(w.every)
	}
	rate *= float64(max(1, c.Children))
	if p.job.Shape == "morning-spike" {
		rate *= 10
	}
	if rate > float64(most) {
		return fmt.Errorf("%.0f messages of one device in %v: a message id would mean two messages at once (RFC 7252 section 4.4)\nhint: at most %d can be", rate, within, most)
	}
	return nil
}
