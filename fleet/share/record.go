package share

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/count"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// together is how far apart agents may begin.
const together = 50 * time.Millisecond

// record is what all measured, as one fleet.
func (r *run) record() (*series.Record, error) {
	out, err := r.series.Record()
	if err != nil {
		return nil, err
	}
	out.Seconds, out.Stopped = int(r.job.For.Seconds()), r.lasted > 0 && r.lasted < r.job.For
	if out.Stopped {
		out.Seconds = int(r.lasted.Seconds())
	}
	out.Messages = r.account(func(text string) { r.notes = append(r.notes, text) })
	out.Totals.Counts[series.Doubled] += r.doubled()
	out.Outages = r.outages()
	r.behaviour(out)
	for _, l := range r.losses {
		r.notes = append(r.notes, l.note())
	}
	if r.latest > together {
		r.notes = append(r.notes, fmt.Sprintf("an agent began %v after the others (%v are allowed)", r.latest.Round(time.Millisecond), together))
	}
	out.Notes = append(out.Notes, r.notes...)
	return out, nil
}

// account adds the accounts of all shares up. Note is told what had to be left out; it may be nil.
func (r *run) account(note func(string)) *count.Totals {
	streams, commands := fleet.Sources(r.job.Fleet)
	all := count.New()
	all.Declare(0, uint32(streams+commands), 2*fleet.Most(r.job, r.job.For))
	merge := func(name string, text []byte) {
		if err := all.Merge(text); err != nil && note != nil {
			note(fmt.Sprintf("the account of messages of %s is in part left out: %v", name, err))
		}
	}
	if r.own != nil {
		if text, err := r.own.MarshalBinary(); err == nil {
			merge("the subscriber", text)
		}
	}
	for _, p := range r.portions {
		if p.done && p.whole {
			merge(p.by.Name, p.account.data)
		}
	}
	totals := all.Totals()
	return &totals
}

// doubled is how many devices were given the identity of one that another agent plays. Each agent counts its own.
func (r *run) doubled() (n uint64) {
	all := fleet.Given{}
	for _, p := range r.portions {
		if !p.done {
			continue
		}
		more, err := all.Merge(p.given.data)
		if n += uint64(more); err != nil {
			r.notes = append(r.notes, fmt.Sprintf("agent %s: %v", p.by.Name, err))
		}
	}
	return n
}

// outages puts together how the shares lost their connections and came back: a course cuts them all at the same time.
func (r *run) outages() []series.Outage {
	var one *series.Outage
	for _, p := range r.portions {
		o := p.outage
		switch {
		case o == nil:
		case one == nil:
			first := *o
			one = &first
		default:
			one.Devices += o.Devices
			one.Away += o.Away
			one.Back = max(one.Back, o.Back)
		}
	}
	if one == nil {
		return nil
	}
	return []series.Outage{*one}
}

// behaviour fills in what the generators know of themselves: it is no better than the worst of them.
func (r *run) behaviour(out *series.Record) {
	own := &out.Own
	machines := map[string]int{r.machine: 0}
	own.CPU = (fleet.Processor() - r.processor).Seconds()
	cost := &series.Cost{Devices: r.job.Fleet.Devices, Base: float64(r.base)}
	more := max(0, float64(fleet.Memory()-r.base))
	for _, w := range r.workers {
		machines[w.Machine] = w.Cores
		own.CPU += w.taken.CPU.Seconds()
		cost.Base += float64(w.taken.Base)
		more += max(0, float64(w.taken.Held-w.taken.Base))
		if own.OneWay == "" {
			if own.OneWay = w.drift; own.OneWay == "" {
				own.OneWay = oneWay(w.Name, w.first, w.first)
			}
		}
	}
	for _, cores := range machines {
		own.Cores += cores
	}
	own.Invalid = fleet.Invalid(out)
	for _, p := range r.portions {
		alone := p.own.Recent()
		own.LagP99, own.LagMax = max(own.LagP99, alone.Own.LagP99), max(own.LagMax, alone.Own.LagMax)
		if why := fleet.Invalid(alone); why != "" && own.Invalid == "" {
			own.Invalid = fmt.Sprintf("agent %s: %s", p.by.Name, why)
		}
	}
	own.Kept = own.Invalid == ""
	n := out.Totals.Counts
	cost.PerDevice, cost.Messages = more/float64(max(1, cost.Devices)), n[series.Sent]+n[series.Received]
	if cost.Messages > 0 {
		cost.CPU = own.CPU / float64(cost.Messages)
	}
	out.Cost = cost
}
