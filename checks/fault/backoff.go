package fault

import (
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
)

// pattern is how the pauses between the attempts of a device develop.
type pattern string

const (
	undecided pattern = "undecided" // too few of them were seen
	storm     pattern = "storm"     // more than stormy retries in a minute
	constant  pattern = "constant"  // one as long as the other
	linear    pattern = "linear"    // each longer than the one before by the same time
	level     pattern = "level"     // unlike each other, but not growing
	growing   pattern = "growing"   // with chance in them: as it should be
	doubling  pattern = "doubling"  // each exactly twice the one before
	long      pattern = "long"      // half a minute or more from one attempt to the next: no storm, whatever they do
)

const (
	stormy  = 20                     // retries in a minute that are still in order
	patient = 30 * time.Second       // from attempt to attempt: harms no server, even when it never grows
	instant = 200 * time.Millisecond // below this there was no pause
	few     = 5                      // pauses that decide
	many    = 9                      // pauses after which there will be no growth any more
	sixth   = 6                      // pauses that show a doubling without chance
)

// classify names the pattern of the pauses between attempts; tick is how exactly they could be measured.
//
// Growth is judged by thirds: the median pause of the last third must be at least twice that of the first. Two medians of several
// pauses bear jitter. The ratio of neighbours does not: with a random half ("equal jitter") it swings between 1 and 4, and with full
// jitter a pause is shorter than the one before in a quarter of all cases. Every law that grows by 1.5 or more a step passes, and
// one that does not grow fails. Five pauses decide, or three when they took a minute, because three retries a minute are no storm. When
// they do not show growth, up to nine are awaited before it is denied. A device that is on the way to a storm is given the time for it.
func classify(attempts []testbed.Attempt, tick time.Duration) pattern {
	if fullest(retries(attempts), time.Minute) > stormy {
		return storm
	}
	p := pauses(attempts)
	n := len(p)
	if n < 3 {
		return undecided
	}
	alike := float64(slices.Max(p)) < 1.3*float64(slices.Min(p))+float64(tick)
	each := period(attempts)
	minute := each*time.Duration(len(attempts)-1) >= time.Minute
	switch {
	case each < time.Minute/stormy: // on the way to a storm
		return undecided
	case alike && (n >= few || each >= patient):
		return constant
	case n >= few && steps(p, 3*tick):
		return linear
	case (n >= few || minute) && grows(p):
		switch {
		case !doubles(p, tick):
			return growing
		case n >= sixth:
			return doubling
		}
	case each >= patient:
		return long
	case n >= many:
		return level
	}
	return undecided
}

// retries are the attempts after the first.
func retries(attempts []testbed.Attempt) []testbed.Attempt { return attempts[min(1, len(attempts)):] }

// period is the mean time from one attempt to the next.
func period(attempts []testbed.Attempt) time.Duration {
	n := len(attempts) - 1
	if n < 1 {
		return 0
	}
	return attempts[n].Opened.Sub(attempts[0].Opened) / time.Duration(n)
}

// fullest is the most attempts that begin within any span.
func fullest(attempts []testbed.Attempt, span time.Duration) int {
	most, from := 0, 0
	for to := range attempts {
		for attempts[to].Opened.Sub(attempts[from].Opened) > span {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// pauses are the gaps between attempts, or the times from one attempt to the next where its connection is held until then. Up to three
// attempts at once count as one: a client may try two addresses, or two versions of the protocol, before it waits.
func pauses(attempts []testbed.Attempt) []time.Duration {
	gaps := testbed.Gaps(attempts)
	if held(attempts) {
		for i := range gaps {
			gaps[i] = attempts[i+1].Opened.Sub(attempts[i].Opened)
		}
	}
	var p []time.Duration
	burst := 1
	for _, g := range gaps {
		if g < instant && burst < 3 {
			burst++
			continue
		}
		burst = 1
		p = append(p, g)
	}
	return p
}

// held reports whether the device keeps the connection of an attempt that it has given up until it makes the next: there is no time
// without a connection, and yet seconds lie between the attempts.
func held(attempts []testbed.Attempt) bool {
	return median(testbed.Gaps(attempts)) < instant && period(attempts) >= time.Second
}

// grows compares the last third of the pauses with the first.
func grows(p []time.Duration) bool {
	k := (len(p) + 1) / 3
	return median(p[len(p)-k:]) >= 2*max(median(p[:k]), time.Millisecond)
}

func median(p []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(p))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// steps reports whether each pause is longer than the one before by the same time, within a fifth.
func steps(p []time.Duration, noise time.Duration) bool {
	var d []time.Duration
	for i := 1; i < len(p); i++ {
		d = append(d, p[i]-p[i-1])
	}
	least, most := slices.Min(d), slices.Max(d)
	return least > noise && float64(most-least) <= 0.2*float64(most)+float64(noise)
}

// doubles reports whether the pauses follow base, 2 base, 4 base … up to a cap to within 1.5 % or the measurement. At least three
// doublings must be seen: chance looks like this once in some ten thousand times, and so it is asked a second time. An exact growth by
// another factor is not noticed.
func doubles(p []time.Duration, tick time.Duration) bool {
	near := func(got, want time.Duration) bool {
		return (got - want).Abs() <= max(want*15/1000, tick)+tick
	}
	doublings, clipped := 0, false
	for i := 1; i < len(p); i++ {
		switch {
		case near(p[i], 2*p[i-1]) && !clipped:
			doublings++
		case near(p[i], p[i-1]) && doublings > 0:
			clipped = true // the cap, again
		case !clipped && i < len(p)-1 && p[i-1] < p[i] && p[i] < 2*p[i-1]:
			clipped = true // the cap lies between two doublings
		default:
			return false
		}
	}
	return doublings >= 3
}
