package fleet

import (
	"math"
	"runtime"
)

// What the event loops of a fleet take, as measured by bench/swarm and rounded up: of a processor, in seconds.
const (
	perMessage = 15e-6 // one that is sent, with its acknowledgement
	perConnect = 50e-6
	perLoop    = 0.5 // of a second, at the busiest: a loop that has more to do is shared among two
)

// processors is how many event loops can run at once. A campaign of many jobs raises GOMAXPROCS beyond them.
func processors() int { return min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) }

// loops is how many event loops a share needs. One that wakes up for twenty messages costs a third less for each than two that wake up for
// ten, and leaves the other processors to the far end, where it is on the same machine. Where what comes in can't be known, as what others
// publish to topics that devices subscribe to, it is one for each processor.
func (p *plan) loops() int {
	n := p.job.To - p.job.From
	most := max(1, min(processors(), n/50))
	work := perConnect * float64(n) // all may come back within a second
	for i, c := range p.classes {
		if len(c.Subscribe) > 0 {
			return most
		}
		rate := 0.0 // of one device, in a second
		for _, w := range c.posts {
			peak := 1.0
			for _, f := range w.day {
				peak = max(peak, f)
			}
			rate += peak * float64(max(1, c.Children)) / max(1e-9, w.every.Seconds())
		}
		rate *= p.course.peak()
		for _, w := range c.commands {
			rate += 2 / max(1e-9, w.every.Seconds()) // the operator's and the answer
		}
		work += perMessage * rate * float64(n) * float64(p.dealt[i]) / float64(len(p.deal))
	}
	return max(1, int(min(float64(most), math.Ceil(work/perLoop))))
}

// spare leaves places for other goroutines beside so many loops, which hardly ever let go of theirs. It is never taken back, as another fleet
// may be under way.
func spare(loops int) { runtime.GOMAXPROCS(max(loops+2, runtime.GOMAXPROCS(0))) }
