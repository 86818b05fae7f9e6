package fleet

import (
	"bytes"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// maxBacklog is how many messages wait at most for room in a device's window, whatever its buffer.
const maxBacklog = 1000

// micros is a time of the run in microseconds since 1970, by the clock that all machines of the run share.
func (p *plan) micros(at int64) int64 { return p.start.Add(p.job.Skew).UnixMicro() + at/1000 }

// number is the number of a device in the whole fleet.
func (s *shard) number(i int32) int { return s.first + int(i) }

func (s *shard) classOf(i int32) *class {
	if i == s.operator {
		return s.operates
	}
	return s.classIn(s.number(i))
}

// classIn is the class of a device by its number in the whole fleet.
func (p *plan) classIn(number int) *class { return p.classes[p.deal[number%len(p.deal)]] }

// sourceOf is the number of a stream in the whole fleet.
func (s *shard) sourceOf(k int32) uint32 { return uint32(s.first*s.perEach) + uint32(k) }

// ordersFrom is the number of the first order in the whole fleet: they are behind all streams.
func (p *plan) ordersFrom() uint32 { return uint32(p.job.Fleet.Devices * p.perEach) }

// orderOf is the number of a command to a device in the whole fleet.
func (p *plan) orderOf(number, k int) uint32 { return p.ordersFrom() + uint32(number*p.perOrder+k) }

// postOf is what a stream sends.
func (s *shard) postOf(k int32) *post {
	if k < 0 {
		o := int(-1 - k)
		return s.classIn(o / s.perOrder).commands[o%s.perOrder]
	}
	c := s.classOf(k / int32(s.perEach))
	return c.posts[int(k)%s.perEach%len(c.posts)]
}

// window is how many messages a device may have in flight.
func (s *shard) window(i int32) int {
	n := s.classOf(i).Window
	if x := s.devices[i].x; x != nil && x.window > 0 {
		n = min(n, x.window)
	}
	return n
}

// fill sets the values that a template may use.
func (s *shard) fill(i, k int32, seq uint32, due int64) *payload.Vars {
	v := &s.fields
	if k >= 0 {
		s.who(s.number(i), v)
		v.Child = int(k) % max(1, s.perEach) / max(1, len(s.classOf(i).posts))
		v.Stamp.Source = s.sourceOf(k)
	} else { // to another device than the operator, which may be in another loop
		o := int(-1 - k)
		s.who(o/s.perOrder, v)
		v.Stamp.Source = s.ordersFrom() + uint32(o)
	}
	v.Time = s.micros(due)
	v.Stamp.Seq, v.Stamp.Due = seq, v.Time
	return v
}

// firsts sets the streams of a device that is connected for the first time going.
func (s *shard) firsts(i int32, now int64) {
	c := s.classOf(i)
	if s.stopping {
		return
	}
	for k := range c.commands {
		o := i*int32(s.perOrder) + int32(k)
		phase := int64(s.rand.Float64() * float64(c.commands[k].every))
		s.timers.set(int32(len(s.devices)+len(s.streams))+o, now+phase)
	}
	for n := range len(c.posts) * max(1, c.Children) {
		k := i*int32(s.perEach) + int32(n)
		phase := int64(s.rand.Float64() * float64(c.posts[n%len(c.posts)].every))
		s.streams[k].on = true
		s.timers.set(int32(len(s.devices))+k, now+phase)
	}
}

// asleep stops the streams of a device, and rouse sets them going again.
func (s *shard) asleep(i int32) { s.pauseStreams(i, false, 0) }

func (s *shard) rouse(i int32, now int64) {
	if s.devices[i].was {
		s.pauseStreams(i, true, now)
	}
	s.drainBacklog(i, now)
}

func (s *shard) pauseStreams(i int32, on bool, now int64) {
	for k := i * int32(s.perEach); k < (i+1)*int32(s.perEach); k++ {
		if s.streams[k].on == on || k%int32(s.perEach) >= int32(len(s.classOf(i).posts)*max(1, s.classOf(i).Children)) {
			continue
		}
		s.streams[k].on = on
		if on && !s.stopping {
			s.timers.set(int32(len(s.devices))+k, max(now, s.streams[k].next))
		} else {
			s.timers.stop(int32(len(s.devices)) + k)
		}
	}
}

// message is the timer of a stream: a message is due.
func (s *shard) message(k int32, due, now int64) {
	i := k / int32(s.perEach)
	d, w, p := &s.devices[i], &s.streams[k], s.postOf(k)
	s.meter.Time(series.Lag, time.Duration(now-due))
	w.next = s.after(p, due, s.rand)
	s.timers.set(int32(len(s.devices))+k, w.next)
	c := s.classOf(i)
	if !d.here && c.Buffer == 0 {
		s.meter.Count(series.Withheld, 1)
		return
	}
	m := pending{due: due, stream: k, seq: w.seq}
	w.seq++
	if d.state == up && (d.x == nil || len(d.x.backlog) == 0) && c.speaks.post(s, i, p, m, now) {
		return
	}
	room := maxBacklog
	if !d.here {
		room = c.Buffer
	}
	if room == 0 {
		s.meter.Count(series.Withheld, 1)
		return
	}
	x := d.more()
	if len(x.backlog) >= room {
		s.meter.Count(series.Withheld, 1)
		x.backlog = append(x.backlog[:0], x.backlog[1:]...)
	}
	x.backlog = append(x.backlog, m)
}

// drainBacklog sends what waited, as far as there is room.
func (s *shard) drainBacklog(i int32, now int64) {
	d := &s.devices[i]
	turn := d.turn
	for d.turn == turn && d.x != nil && len(d.x.backlog) > 0 {
		m := d.x.backlog[0]
		if !s.classOf(i).speaks.post(s, i, s.postOf(m.stream), m, now) {
			return
		}
		if d.x == nil || len(d.x.backlog) == 0 {
			return
		}
		if d.x.backlog = d.x.backlog[1:]; len(d.x.backlog) == 0 {
			d.x.backlog = nil
		}
	}
}

// alive keeps a connected device going, and sets its timer.
func (s *shard) alive(i int32, now int64) {
	d := &s.devices[i]
	turn := d.turn
	if d.doze > 0 && now >= d.doze && !s.stopping {
		d.doze = 0
		if sleep := s.classOf(i).Sleep; sleep != nil {
			s.leave(i, time.Duration(sleep.Asleep), now)
		} else {
			s.cutOff(i, now)
			s.excused(i)
		}
		return
	}
	next := s.classOf(i).speaks.idle(s, i, now)
	if d.turn != turn {
		return
	}
	when := now + int64(next)
	if next == 0 {
		when = int64(1) << 62
	}
	if d.doze > 0 && !s.stopping {
		when = min(when, d.doze)
	}
	s.timers.set(i, when)
}

// gotten acts on a message that the other side sent to a device or to the operator.
func (s *shard) gotten(i int32, topic, text []byte, now int64) {
	if i != s.operator {
		if stamp, ok := s.leaks(i, text, &strays{}); ok {
			s.ordered(i, topic, stamp, s.since(stamp, now), now)
		} else {
			s.noticed(i, text)
		}
		return
	}
	switch stamp, ok := payload.FindStamp(text); {
	case !ok:
	case stamp.Run != s.job.Run:
		s.ledger.Foreign()
	default:
		s.seen(topic, stamp, s.since(stamp, now))
	}
}

// since is how long ago a message was due.
func (s *shard) since(stamp payload.Stamp, now int64) time.Duration {
	return time.Duration(s.micros(now)-stamp.Due) * time.Microsecond
}

// noticed counts a message for all devices that a device gets for the first time.
func (s *shard) noticed(i int32, text []byte) {
	if s.notices == nil {
		return
	}
	rest, ok := bytes.CutPrefix(text, []byte(s.job.Notice))
	if !ok || len(rest) != 1 || rest[0] > 31 {
		return
	}
	if bit := uint32(1) << rest[0]; s.notices[i]&bit == 0 {
		s.notices[i] |= bit
		s.meter.Count(series.Noticed, 1)
	}
}

// subscriptions are those of a device, ready to be sent.
func (s *shard) subscriptions(i int32) [][]mqtt.Subscription {
	c := s.classOf(i)
	if len(c.filters) == 0 {
		return nil
	}
	list := make([]product.Filter, len(c.filters))
	v := &payload.Vars{}
	if i != s.operator {
		s.who(s.number(i), v)
	}
	for k, f := range c.filters {
		list[k] = product.Filter{Topic: string(f.Append(nil, v)), QoS: c.Subscribe[k].QoS}
	}
	return filters(list)
}
