package fleet

import (
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// hopes reports whether an acknowledgement can still come: who is not connected when all sending ends does not come back.
func (s *shard) hopes() bool {
	return slices.ContainsFunc(s.devices, func(d device) bool { return d.here && d.x != nil && d.x.waits() > 0 })
}

// looks is how often a drain is looked at within the time that it takes to settle.
const looks = 10

// settled reports whether the drain can end: for long enough nothing has been missing of what was sent.
func (s *shard) settled(now int64) bool {
	if now >= s.lookAt {
		s.lookAt = now + int64(s.job.Settle/looks)
		if s.hopes() || s.ledger.Totals().Lost > 0 {
			s.whole = 0
		} else if s.whole == 0 {
			s.whole = now
		}
	}
	return s.whole > 0 && now-s.whole >= int64(s.job.Settle) && !s.hopes() // nor since it was looked at
}

// stop ends all sending; what is under way may arrive.
func (s *shard) stop() {
	s.stopping, s.cutAt = true, 0
	for id := int32(len(s.devices)); id < int32(len(s.timers.at)); id++ {
		s.timers.stop(id)
	}
}

// end closes everything and waits for what was started.
func (s *shard) end() {
	now := s.now()
	for i := range s.devices {
		s.settle(int32(i), now)
	}
	s.slice()
	s.goodbye()
	for i := range s.devices {
		s.close(int32(i), true)
	}
	s.dies()
	s.goroutines.Wait()
	s.posted(now) // what they did is given up
	s.poll.close()
}

// goodbye has all devices end their connections in good order, and lets the other side close them. Nothing counts any more.
func (s *shard) goodbye() {
	s.stopping = true
	left := 0
	for i := range s.devices {
		if s.devices[i].state == up && s.classOf(int32(i)).speaks.close(s, int32(i)) {
			left++
		} else {
			s.close(int32(i), true)
			s.devices[i].state = ended
		}
	}
	for until := s.now() + int64(time.Second); left > 0 && s.now() < until && s.ctx.Err() == nil; {
		if s.step(20*time.Millisecond) != nil {
			return
		}
		left = 0
		for i := range s.devices {
			if s.devices[i].state == up {
				left++
			}
		}
	}
}

// settle counts what a device leaves unanswered when the run ends. It forgets it, so that nothing of it is sent or acknowledged later.
func (s *shard) settle(i int32, now int64) {
	d := &s.devices[i]
	if d.x == nil {
		return
	}
	s.meter.Count(series.Withheld, len(d.x.backlog))
	for _, f := range d.x.flights {
		if f.waits() {
			s.unanswered(f, now)
		}
	}
	d.x.flights, d.x.backlog = nil, nil
}

// unanswered counts a message that gets no answer any more. Its latency is longer than what has passed.
func (s *shard) unanswered(f flight, now int64) {
	s.meter.Unanswered(series.Ack, time.Duration(now-f.due))
}
