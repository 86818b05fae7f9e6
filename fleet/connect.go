package fleet

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// control is a device's own timer: to connect, to give up, to keep alive, to sleep.
func (s *shard) control(i int32, due, now int64) {
	d := &s.devices[i]
	switch d.state {
	case waiting:
		if s.stopping {
			return
		}
		s.meter.Time(series.Lag, time.Duration(now-due))
		if !d.was {
			s.meant(i)
		}
		s.begin(i, due, now)
	case preparing, connecting, shaking, greeting:
		if d.state == greeting && s.classOf(i).datagrams {
			s.knock(i, now)
			return
		}
		what := [...]string{preparing: "provisioning", connecting: "connect", shaking: "TLS handshake", greeting: s.classOf(i).speaks.opens()}[d.state]
		s.fail(i, "no answer to "+what+" in time", now)
	case up:
		s.alive(i, now)
	}
}

// begin begins an attempt to connect.
func (s *shard) begin(i int32, due, now int64) {
	s.attempts(i, due, now)
	if len(s.classOf(i).provision) > 0 && s.given[s.number(i)-s.job.From].Load() == nil {
		s.prepare(i, now)
		return
	}
	s.reach(i, now)
}

// attempts counts an attempt to connect, and sets its time limit.
func (s *shard) attempts(i int32, due, now int64) {
	d := &s.devices[i]
	d.due = due
	d.turn++
	if i != s.operator {
		s.meter.Count(series.Attempts, 1)
	}
	s.timers.set(i, now+int64(attempt))
}

// reach opens the transport.
func (s *shard) reach(i int32, now int64) {
	d := &s.devices[i]
	c := s.classOf(i)
	if s.portable || c.carried {
		s.carry(i)
		return
	}
	fd, err := dial(s.address, s.source(s.number(i)), c.datagrams)
	if err != nil {
		s.fail(i, classify(err), now)
		return
	}
	d.fd, d.state = fd, connecting
	if c.datagrams {
		d.state = greeting
	}
	if err := s.poll.add(fd, i, d.turn, d.state == connecting); err != nil {
		s.fail(i, classify(err), now)
		return
	}
	if c.datagrams {
		s.opened(i, now)
	}
}

// source is the address that a device connects from. One address reaches one endpoint from 28,232 ports, and gets slow from 14,000 on.
func (s *shard) source(number int) netip.Addr {
	if len(s.sources) == 0 {
		return netip.Addr{}
	}
	return s.sources[number/perSource%len(s.sources)]
}

// connected goes on when TCP has a result.
func (s *shard) connected(i int32, now int64) {
	d := &s.devices[i]
	if err := dialled(d.fd); err != nil {
		s.fail(i, classify(err), now)
		return
	}
	if s.classOf(i).tls == nil {
		if err := s.poll.change(d.fd, i, d.turn, false); err != nil {
			s.fail(i, classify(err), now)
			return
		}
		s.opened(i, now)
		return
	}
	s.poll.remove(d.fd)
	d.state = shaking
	s.handshake = append(s.handshake, handshake{i, d.turn, now})
	s.shake(now)
}

// opened goes on when the transport is there.
func (s *shard) opened(i int32, now int64) {
	d := &s.devices[i]
	d.state = greeting
	c := s.classOf(i)
	if c.socket { // WebSocket first
		s.upgrade(i, now)
		return
	}
	c.speaks.open(s, i, now)
}

// accepted is called when the other side took the device.
func (s *shard) accepted(i int32, now int64) {
	d := &s.devices[i]
	d.state, d.tries, d.pinging = up, 0, false
	if i == s.operator {
		s.alive(i, now)
		return
	}
	again := d.here
	if !again {
		d.here = true
		s.up++
	}
	s.meant(i)
	s.meter.Count(series.Accepted, 1)
	s.meter.Time(series.Connect, time.Duration(now-d.due))
	if d.lost {
		d.lost = false
		s.away--
		s.backAt = now
	}
	if sleep := s.classOf(i).Sleep; sleep != nil && !again {
		d.doze = now + int64(time.Duration(sleep.Awake))
	}
	if until := s.course.up(s.rand); until > 0 && !again {
		d.doze = now + int64(until)
	}
	s.rouse(i, now)
	if d.state == up {
		s.alive(i, now)
	}
	if !d.was {
		d.was = true
		s.firsts(i, now)
	}
}

// refused is called when the other side answered that it does not want the device.
func (s *shard) refused(i int32, answer string, now int64) {
	if i != s.operator {
		s.meter.Count(series.Refused, 1)
	}
	s.meter.Answer(answer)
	s.again(i, now)
}

// fail ends an attempt, or a connection, for a reason of a few words.
func (s *shard) fail(i int32, reason string, now int64) {
	d := &s.devices[i]
	s.meter.Error(reason)
	if i == s.operator && d.state == up && !s.stopping {
		s.ledger.Missed()
	}
	if i != s.operator {
		if d.state == up {
			s.meter.Count(series.Dropped, 1)
		} else {
			s.meter.Count(series.Broken, 1)
		}
	}
	s.again(i, now)
}

// again closes what there is and has the device try again after a while.
func (s *shard) again(i int32, now int64) {
	d := &s.devices[i]
	s.close(i, true)
	s.meant(i)
	if d.state = waiting; s.stopping {
		d.state = ended
		s.timers.stop(i)
		return
	}
	pause := s.classOf(i).pause(int(d.tries), s.rand)
	d.tries = min(d.tries+1, 200)
	s.timers.set(i, now+int64(pause))
}

// leave ends a connection in good order, for a while.
func (s *shard) leave(i int32, pause time.Duration, now int64) {
	d := &s.devices[i]
	s.classOf(i).speaks.close(s, i)
	s.close(i, false)
	d.state = waiting
	s.timers.set(i, now+int64(pause))
	s.asleep(i)
	s.excused(i)
}

// meant counts a device among those that are meant to be connected, and excused does not any more, until an attempt of it has an outcome.
func (s *shard) meant(i int32) {
	if d := &s.devices[i]; !d.met && i != s.operator {
		d.met = true
		s.joined++
	}
}

func (s *shard) excused(i int32) {
	if d := &s.devices[i]; d.met {
		d.met = false
		s.joined--
	}
}

// cutOff ends a connection as a power cut does.
func (s *shard) cutOff(i int32, now int64) {
	d := &s.devices[i]
	if !d.here {
		return
	}
	d.lost = true
	s.away++
	s.again(i, now)
}

// forsake counts out the commands that are on their way to a device whose connection ends, where no session keeps them.
func (s *shard) forsake(i int32) {
	if s.classOf(i).Persist {
		return
	}
	for k := range s.perOrder {
		s.ledger.Void(s.orderOf(s.number(i), k), s.orders[int(i)*s.perOrder+k].seq)
	}
}

// close closes the connection; what is not acknowledged stays.
func (s *shard) close(i int32, reset bool) {
	d := &s.devices[i]
	if d.here {
		d.here = false
		s.up--
		s.forsake(i)
	}
	if d.fd >= 0 {
		shut(d.fd, reset)
		d.fd = -1
	}
	d.turn++
	x := d.x
	if x == nil {
		return
	}
	if x.carrier != nil {
		x.carrier.close(reset)
	}
	*x = extra{flights: x.flights, backlog: x.backlog, ticket: x.ticket}
	if len(x.flights) == 0 && len(x.backlog) == 0 && x.ticket == nil {
		d.x = nil
	}
}

// unlink closes the connection of a device that goes on without one.
func (s *shard) unlink(i int32) {
	d := &s.devices[i]
	here := d.here
	hold := int64(0)
	if d.x != nil {
		hold = d.x.hold
	}
	d.here = false
	if here {
		s.up--
	}
	s.close(i, false)
	if d.here = here; here {
		s.up++
	}
	if hold > 0 {
		d.more().hold = hold
	}
}

// gone is called when the other side has ended the connection.
func (s *shard) gone(i int32, now int64) {
	if h, ok := s.classOf(i).speaks.(speaksHTTP); ok && h.ends(s, i, now) {
		return
	}
	s.fail(i, "the other side closed the connection", now)
}

// classify is a failure in a few words, the same for all of its sort.
func classify(err error) string {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if inner := errors.Unwrap(e); inner == nil {
			return e.Error()
		}
	}
	return fmt.Sprint(err)
}
