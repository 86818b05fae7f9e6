package fleet

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// errands is how many devices make calls at once for each processor; others wait for their turn, which is time of this program's own.
const errands = 256

// errand is calls of one device that wait for their turn.
type errand struct {
	device int32
	since  int64
	limit  time.Duration
	calls  []*call
	begin  func(now int64) (wanted bool)
	done   func(now int64, values []string, err error)
}

// run has calls made beside the loop, when it is their turn.
func (s *shard) run(e errand) {
	s.errands = append(s.errands, e)
	s.runNext(e.since)
}

func (s *shard) runNext(now int64) {
	for s.running < s.most(errands) && len(s.errands) > 0 {
		e := s.errands[0]
		if s.errands = s.errands[1:]; !e.begin(now) {
			continue
		}
		s.meter.Time(series.Lag, time.Duration(now-e.since))
		s.running++
		c, from, v := s.classOf(e.device), s.source(s.number(e.device)), s.ownVars(e.device, now)
		s.goroutines.Go(func() {
			ctx, cancel := context.WithTimeout(s.life, e.limit)
			defer cancel()
			caller := s.newCaller(c, from, v)
			err := caller.all(ctx, e.calls)
			s.post(func(now int64) {
				s.running--
				s.meter.Count(series.BytesIn, int(caller.read))
				e.done(now, caller.vars.Values, err)
				s.runNext(now)
			})
		})
	}
}

// prepare provisions a device, and then has it connect.
func (s *shard) prepare(i int32, now int64) {
	s.devices[i].state = preparing
	s.claim(i, nil, now)
}

// claim makes the provisioning calls of a device. Not nil, first is what it was given when it made them before.
func (s *shard) claim(i int32, first []string, now int64) {
	d := &s.devices[i]
	s.timers.stop(i) // until it is its turn
	turn := d.turn
	wanted := func() bool { return d.turn == turn && d.state == preparing }
	s.run(errand{
		device: i, since: now, limit: attempt, calls: s.classOf(i).provision,
		begin: func(now int64) bool {
			if wanted() {
				s.timers.set(i, now+int64(attempt))
				return true
			}
			return false
		},
		done: func(now int64, values []string, err error) {
			switch {
			case !wanted():
			case err != nil && first == nil:
				s.fail(i, "provisioning: "+err.Error(), now)
			case s.job.Again && first == nil:
				s.claim(i, values, now)
			default:
				if err != nil {
					s.meter.Answer("provisioning again: " + err.Error())
					values = first
				} else if first != nil && s.renamed(i, first, values) {
					s.meter.Count(series.Renamed, 1)
				}
				s.provisioned(i, values)
				s.timers.set(i, now+int64(attempt))
				s.reach(i, now)
			}
		},
	})
}

// provisioned keeps what a device was given.
func (s *shard) provisioned(i int32, values []string) {
	number := s.number(i)
	s.given[number-s.job.From].Store(&values)
	if s.doubles(s.classOf(i), number) {
		s.meter.Count(series.Doubled, 1)
	}
}

// update has a device make its update's calls.
func (s *shard) update(i int32, due, now int64) {
	s.run(errand{
		device: i, since: due, limit: updateTime, calls: s.classOf(i).updates,
		begin: func(int64) bool { return !s.stopping },
		done: func(_ int64, _ []string, err error) {
			switch {
			case s.life.Err() != nil:
			case err != nil:
				s.meter.Error("update: " + err.Error())
			default:
				s.meter.Answer("update: done")
			}
		},
	})
}

// updateTime is how long an update may take.
const updateTime = 10 * time.Minute
