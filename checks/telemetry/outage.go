package telemetry

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
)

// outageSeen is what came in before and after an outage.
type outageSeen struct {
	buffer        int    // declared
	keeps         string // declared: "newest", "oldest" or nothing
	gap           time.Duration
	full          bool // the outage was longer than the buffer reaches
	before, after []reading
	back          bool
	exit          string // the status with which its process ended by itself; empty: it did not
	first, last   int    // numbers of events: the outage, and the end
}

// ends are the running numbers before and at the end of what is judged.
func (o outageSeen) ends() (from, to int64) {
	for _, r := range o.before {
		from = max(from, r.seq)
	}
	to = from
	for _, r := range o.after {
		to = max(to, r.seq)
	}
	return from, to
}

// made is how many readings were made since the outage began, by their running numbers.
func (o outageSeen) made() int {
	from, to := o.ends()
	return int(to - from)
}

// lost are the running numbers of the oldest and the newest reading that did not come in, and how many did not.
func (o outageSeen) lost() (oldest, newest int64, n int) {
	from, to := o.ends()
	came := map[int64]bool{}
	for _, r := range o.after {
		came[r.seq] = true
	}
	n = int(to-from) - len(o.after)
	for seq := from + 1; seq <= to && to-from < 1<<20; seq++ {
		if came[seq] {
			continue
		}
		if oldest == 0 {
			oldest = seq
		}
		newest = seq
	}
	return oldest, newest, n
}

// judgeOutage judges an outage, the worst first.
func judgeOutage(o outageSeen) []check.Finding {
	var found []check.Finding
	add := func(severity check.Severity, title, expected, seen string) {
		found = append(found, check.Finding{
			Severity: severity, Title: title, Expected: expected, Seen: seen,
			Evidence: check.Range(o.first, o.last, "from the outage on"),
		})
	}
	if o.exit != "" {
		add("", check.Ended(o.exit)+" during an outage", "it goes on measuring",
			"its process ended by itself ("+o.exit+") while it had no network, or right after")
	}
	if !o.back {
		add("", "Does not come back after an outage", "a connection within twice its longest pause", "none came")
		return found
	}
	if len(o.after) == 0 {
		add("", "Sends no more readings after an outage", "readings as before", "none came on the new connection")
		return found
	}
	due := min(o.buffer, o.made())
	if len(o.after) < due {
		add("", "Loses readings that it promises to keep", fmt.Sprintf("at least %d of the %d readings made since the outage began", due, o.made()),
			fmt.Sprintf("%d came in", len(o.after)))
	} else if seen := o.wrongEnd(); seen != "" {
		add(check.Major, "Keeps other readings than declared when its buffer is full", "the "+o.keeps+" readings", seen)
	}
	if seen := o.restamped(); seen != "" {
		add(check.Major, "Loses the time at which its readings were made", "in every reading the time of its measurement", seen)
	}
	if n := o.densest(); n > fastestDrain {
		add(check.Major, "Sends its backlog in one burst", fmt.Sprintf("at most %d readings in a second", fastestDrain), fmt.Sprintf("%d readings came within a second", n))
	}
	return found
}

// wrongEnd says how the readings that are missing contradict which ones are declared to be kept; empty when they do not.
func (o outageSeen) wrongEnd() string {
	from, to := o.ends()
	oldest, newest, n := o.lost()
	live := int64(2) // readings that were made after the return, at least
	switch {
	case n == 0:
		return ""
	case o.keeps == "newest" && newest > to-int64(o.buffer):
		return fmt.Sprintf("reading %d is missing, and older ones came in", newest)
	case o.keeps == "oldest" && oldest <= from+int64(o.buffer)-live:
		return fmt.Sprintf("reading %d is missing, and newer ones came in", oldest)
	}
	return ""
}

// backlog are the readings after the outage that came sooner after the one before than they were made: less than half of gap.
func (o outageSeen) backlog() []reading {
	for i := 1; i < len(o.after); i++ {
		if o.after[i].at.Sub(o.after[i-1].at) > o.gap/2 {
			return o.after[:i]
		}
	}
	return o.after
}

// restamped says how the times in the readings of the backlog are not those of their measurement; empty when they are.
func (o outageSeen) restamped() string {
	backlog := o.backlog()
	if len(backlog) < 3 {
		return ""
	}
	first, last := backlog[0], backlog[len(backlog)-1]
	if first.seq > last.seq {
		first, last = last, first
	}
	due := time.Duration(last.seq-first.seq) * o.gap
	best, field := time.Duration(-1), ""
	for name, at := range first.times {
		if later, ok := last.times[name]; ok && later.Sub(at) > best {
			best, field = later.Sub(at), name
		}
	}
	switch {
	case field == "":
		return "their payload holds no time, so all readings of the outage get the time at which they arrived"
	case best < due/2:
		return fmt.Sprintf("%d readings that took %s to make are all stamped within %s (field %s)", len(backlog), due, best, field)
	}
	return ""
}

// densest is how many readings of the backlog came within a second of device time at most; less a tenth, for a device that sends ten
// at a time. A backlog whose readings mostly keep their distance is not taken for a burst, even if this machine was late to see the
// first of them: it is 0 then.
func (o outageSeen) densest() int {
	backlog := o.backlog()
	var gaps []time.Duration
	most, first := 0, 0
	for i := range backlog {
		for backlog[i].at.Sub(backlog[first].at) > time.Second*9/10 {
			first++
		}
		most = max(most, i+1-first)
		if i > 0 {
			gaps = append(gaps, backlog[i].at.Sub(backlog[i-1].at))
		}
	}
	slices.Sort(gaps)
	if len(gaps) == 0 || gaps[len(gaps)/2] > time.Second/(2*fastestDrain) {
		return 0
	}
	return most
}
