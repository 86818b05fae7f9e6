package fleet

import (
	"math"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

// Sources are how many streams the devices of a fleet send, and how many streams of commands are sent to them: the numbers in stamps and in
// ledgers are those of the streams, and behind them those of the commands.
func Sources(f *product.Fleet) (streams, commands int) {
	each, orders := 0, 0
	for i := range f.Classes {
		c := &f.Classes[i]
		each = max(each, len(c.Telemetry)*max(1, c.Children))
		orders = max(orders, len(c.Commands))
	}
	return f.Devices * each, f.Devices * orders
}

// Most is a number of messages that no stream of a job, nor commands to one device, reaches in its first time d: with it numbers can be
// chosen that were certainly not used yet.
func Most(job Job, d time.Duration) uint32 {
	d = min(max(0, d), job.For)
	rate := 0.0 // messages a nanosecond at the usual pace
	for i := range job.Fleet.Classes {
		c := &job.Fleet.Classes[i]
		for _, t := range c.Telemetry {
			peak := 1.0
			for _, f := range t.Day {
				peak = max(peak, f)
			}
			rate = max(rate, peak/float64(max(1, t.Every)))
		}
		for _, a := range c.Commands {
			rate = max(rate, 1/float64(max(1, a.Every)))
		}
	}
	length := float64(d)
	if job.Shape == "morning-spike" {
		length += 9 * float64(min(d, time.Minute, job.For/3))
	}
	n := rate * length
	n += 10*math.Sqrt(n) + 64 + d.Seconds() // chance, and what is sent to greet at a reconnect
	return uint32(min(n, 1<<27))
}

// Processor is the processor time that this process has taken.
func Processor() time.Duration { return cpu() }
