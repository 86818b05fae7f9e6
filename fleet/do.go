package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// Do prepares and plays a whole fleet in this process and gives the record of it. While it plays, watch, if there is one, is called with
// what is collected, once. The error says that it could not be carried out.
func Do(ctx context.Context, job Job, watch func(*series.Collector)) (*series.Record, error) {
	idle := Memory()
	r, err := Prepare(ctx, job)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	before := cpu()
	c := series.NewCollector(start)
	if watch != nil {
		watch(c)
	}
	most := idle
	share, err := r.Play(ctx, start, func(loop, second int, s *series.Slice) {
		_ = c.Add(loop, second, s)
		if loop == 0 && second%5 == 4 {
			most = max(most, Memory())
		}
	})
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("play the fleet: %w", ctx.Err())
	}
	out, err := c.Record()
	if err != nil {
		return nil, err
	}
	account := share.Ledger.Totals()
	out.Seconds, out.Stopped, out.Messages = int(share.Lasted.Seconds()), share.Lasted < job.For, &account
	if share.Outage != nil {
		out.Outages = append(out.Outages, *share.Outage)
	}
	out.Own.Cores, out.Own.CPU = processors, (cpu() - before).Seconds()
	out.Own.Invalid = Invalid(out)
	out.Own.Kept = out.Own.Invalid == ""
	n := out.Totals.Counts
	out.Cost = &series.Cost{
		Devices: job.To - job.From, Base: float64(idle), PerDevice: max(0, float64(most-idle)/float64(max(1, job.To-job.From))),
		Messages: n[series.Sent] + n[series.Received],
	}
	if out.Cost.Messages > 0 {
		out.Cost.CPU = out.Own.CPU / float64(out.Cost.Messages)
	}
	return out, nil
}

// The bounds within which a generator keeps its schedule. What it does late is late in its latencies, too, as they count from when it was due;
// beyond these bounds they say more about it than about the other side.
const (
	lagP99 = 0.010
	lagMax = 1.0
)

// ownErrors are failures of this machine, not of the other side.
var ownErrors = []string{"too many open files", "cannot assign requested address", "no buffer space available", "address already in use", "cannot allocate memory"}

// Failed says what this machine could not do for a fleet, so that nothing at all of its record may be believed; empty: nothing.
func Failed(r *series.Record) string {
	for _, e := range ownErrors {
		if n := r.Totals.Errors[e]; n > 0 {
			return fmt.Sprintf("this machine failed %d times: %s", n, e)
		}
	}
	return ""
}

// Invalid says why no latency of a record may be believed; empty: they may. Counts may be believed unless it Failed.
func Invalid(r *series.Record) string {
	why := Failed(r)
	switch {
	case why != "":
		return why
	case r.Own.LagP99 > lagP99:
		return fmt.Sprintf("one in a hundred sends was more than %.0f ms late (%.0f ms are allowed): this machine could not keep its schedule", r.Own.LagP99*1e3, lagP99*1e3)
	case r.Own.LagMax > lagMax:
		return fmt.Sprintf("a send was %.1f s late (%.0f s is allowed): this machine stood still", r.Own.LagMax, lagMax)
	}
	return ""
}
