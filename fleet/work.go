package fleet

import (
	"math"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

// What the event loops of a fleet take, as measured by bench/swarm and rounded up: of a processor, in seconds.
const (
	perMessage = 15e-6 // one that is sent, with its acknowledgement
	perConnect = 50e-6
	perByte    = 2e-9 // of a payload
	perLoop    = 0.5  // of a second, at the busiest: a loop that has more to do is shared among two
)

// processors is how many event loops can run at once: what the Go runtime found at its start, of which spare makes more later.
var processors = min(runtime.NumCPU(), runtime.GOMAXPROCS(0))

// most is what a loop may have at once of something of which there may be so many for each processor.
func (s *shard) most(each int) int { return each * processors / s.loops }

// loops is how many event loops a share needs. One that wakes up for twenty messages costs a third less for each than two that wake up for
// ten, and leaves the other processors to the far end, where it is on the same machine. Where what comes in can't be known, as what others
// publish to topics that devices subscribe to, it is one for each processor.
func (p *plan) loops() int {
	n := p.job.To - p.job.From
	most := max(1, min(processors, n/50))
	work := perConnect * float64(n) // all may come back within a second
	for i, c := range p.classes {
		if len(c.Subscribe) > 0 {
			return most
		}
		each := 0.0 // processor time of one device in a second
		for _, t := range c.Telemetry {
			peak := 1.0
			for _, f := range t.Day {
				peak = max(peak, f)
			}
			each += peak * p.course.peak() * float64(max(1, c.Children)) * cost(t.Post) / max(1e-9, time.Duration(t.Every).Seconds())
		}
		for _, a := range c.Commands {
			each += 2 * cost(a.Post) / max(1e-9, time.Duration(a.Every).Seconds()) // the operator's, and the answer
		}
		work += each * float64(n) * float64(p.dealt[i]) / float64(len(p.deal))
	}
	return max(1, int(min(float64(most), math.Ceil(work/perLoop))))
}

// spare gives each of so many loops, which do not let go of theirs, a place to run, and leaves two for other goroutines, until what it returns
// is called. The places of the Go runtime that this takes are not taken back.
func spare(loops int) (done func()) {
	all := living.Add(int64(loops))
	runtime.GOMAXPROCS(max(int(all)+2, runtime.GOMAXPROCS(0)))
	return func() { living.Add(int64(-loops)) }
}

// living is how many loops there are, of all fleets.
var living atomic.Int64

// cost is the processor time of a message, in seconds.
func cost(m product.Post) float64 {
	packets := 1.0
	if m.QoS == 2 {
		packets = 2
	}
	return perMessage*packets + perByte*float64(max(m.Size, len(m.Payload)))
}
