package share

import (
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// soon is how long it takes to tell who takes a share over, and to prepare it.
const soon = 500 * time.Millisecond

// lose takes an agent for lost and gives what it played to the others. The error says that there are none.
func (r *run) lose(agent, why string) error {
	var gone *worker
	var left []*worker
	for _, w := range r.workers {
		switch {
		case w.Agent == agent:
			gone = w
		case !w.lost:
			left = append(left, w)
		}
	}
	if gone == nil || gone.lost {
		return nil
	}
	gone.lost = true
	r.out.put(order{Drop: agent})
	passed := max(0, time.Since(r.began))
	for _, p := range r.portions {
		if p.by != gone || p.done {
			continue
		}
		p.lost = true
		l := &loss{agent: gone.Name, why: why, second: int(passed / time.Second), devices: p.to - p.from, up: p.connected(), back: -1}
		if len(left) == 0 {
			return errAlone
		}
		r.losses = append(r.losses, l)
		r.note("agent %s is lost (%s): its %d devices go to others", gone.Name, why, l.devices)
		begin := passed + soon
		if begin+time.Second > r.job.For {
			l.finished = true
			continue
		}
		seq := p.seq + fleet.Most(r.job, passed-p.begin+time.Second)
		n := min(len(left), l.devices)
		for k := range n {
			l.heirs = append(l.heirs, r.give(left[k], p.from+l.devices*k/n, p.from+l.devices*(k+1)/n, seq, begin))
		}
	}
	return nil
}

// give gives an agent a share.
func (r *run) give(w *worker, from, to int, seq uint32, begin time.Duration) *portion {
	p := &portion{
		number: len(r.portions), from: from, to: to, seq: seq, begin: begin, by: w, own: series.NewCollector(r.start), up: map[int]int{},
	}
	r.portions = append(r.portions, p)
	r.out.put(order{Take: &take{Agent: w.Agent, Share: p.number, From: from, To: to, Seq: seq, Begin: begin, Ahead: w.first.ahead}})
	return p
}
