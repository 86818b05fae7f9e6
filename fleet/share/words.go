package share

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// take acts on what an agent said. It gives the share and the word, where they are to be listened to.
func (r *run) take(s said) (*portion, *word) {
	var from *worker
	for _, w := range r.workers {
		if w.Agent == s.agent {
			from = w
		}
	}
	if from == nil || from.lost {
		return nil, nil
	}
	if s.err != nil {
		s.word.Failed = fmt.Sprintf("it said what cannot be read: %v", s.err)
		return nil, s.word
	}
	w := s.word
	from.heard = time.Now()
	switch {
	case w.N <= from.n:
		return nil, nil
	case w.N != from.n+1:
		w.Failed = fmt.Sprintf("%d of its messages are missing", w.N-from.n-1)
		return nil, w
	}
	from.n = w.N
	if w.Share < 0 || w.Share >= len(r.portions) || r.portions[w.Share].by != from {
		return nil, w
	}
	p := r.portions[w.Share]
	switch {
	case w.Ready:
		p.ready = true
	case w.Began:
		r.latest = max(r.latest, w.Late)
	case w.Slice != nil && w.Slice.Slice != nil:
		w.Failed = r.measured(p, w.Slice)
	case w.Ledger != nil && !p.whole:
		var err error
		if p.whole, err = p.account.add(w.Ledger); err != nil {
			w.Failed = "its account of messages is damaged: " + err.Error()
		}
	case w.Given != nil:
		if _, err := p.given.add(w.Given); err != nil {
			w.Failed = "what its devices were given is damaged: " + err.Error()
		}
	case w.Done != nil:
		p.done, p.outage = true, w.Done.Outage
		d := &from.taken
		d.CPU, d.Base, d.Held = max(d.CPU, w.Done.CPU), max(d.Base, w.Done.Base), max(d.Held, w.Done.Held)
	}
	return p, w
}

// measured takes what a loop of a share measured in a second. It says what is wrong with it.
func (r *run) measured(p *portion, s *slice) (wrong string) {
	if r.series == nil || s.Loop < 0 || s.Loop >= maxLoops {
		return fmt.Sprintf("it measured before the run, or in loop %d", s.Loop)
	}
	last := int((r.job.For + time.Hour) / time.Second)
	if s.Second > last {
		return fmt.Sprintf("it measured in second %d", s.Second)
	}
	for _, c := range []*series.Collector{r.series, p.own} {
		if err := c.Add((p.number+1)*maxLoops+s.Loop, s.Second, s.Slice); err != nil {
			return err.Error()
		}
	}
	p.up[s.Loop] = s.Slice.Gauge(series.Connected)
	for _, l := range r.losses {
		l.look(s.Second)
	}
	return ""
}

// silent is an agent that has said nothing for too long, while everything is well with the connection to the server.
func (r *run) silent() *worker {
	now := time.Now()
	since := r.in.since.Load()
	if n := r.Conn.Stats().Reconnects; since == 0 || !r.Conn.IsConnected() || n != r.reconnects {
		r.reconnects, r.calm = n, now
		return nil
	}
	calm := r.calm
	if steady := time.Unix(0, since); steady.After(calm) {
		calm = steady
	}
	for _, w := range r.workers {
		if heard := w.heard; !w.lost && now.Sub(heard) > lostAgent && now.Sub(calm) > lostAgent {
			return w
		}
	}
	return nil
}

// loss is a share that was lost with its agent, and given to others.
type loss struct {
	agent    string
	second   int // in which it was heard last
	devices  int
	up       int // that were connected
	heirs    []*portion
	back     int // the second in which as many were connected again; -1: not yet
	why      string
	finished bool // it was so late that nobody took it over
}

// look sees whether the devices are back.
func (l *loss) look(second int) {
	up := 0
	for _, p := range l.heirs {
		up += p.connected()
	}
	if l.back < 0 && len(l.heirs) > 0 && up >= l.up {
		l.back = second
	}
}

// note tells of it.
func (l *loss) note() string {
	text := fmt.Sprintf("agent %s was lost in second %d with %d devices: %s. What it sent before counts in the series, and is missing in the account of messages.", l.agent, l.second, l.devices, l.why)
	switch {
	case l.finished:
		return text + " The run was nearly over, and nobody took them over."
	case l.back < 0:
		return text + " Others took them over, but not all were back at the end."
	}
	return fmt.Sprintf("%s Others took them over: as many were connected again %d s later. Their messages have new numbers.", text, max(0, l.back-l.second))
}
