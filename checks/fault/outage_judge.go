package fault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
)

// judgeOrdeal finds what was wrong with the attempts of a device in an outage, and with its return.
func judgeOrdeal(r ordeal) []check.Finding {
	found := r.judge(r)
	if len(r.exits) > 0 {
		found = append(judgeExit(r), slices.DeleteFunc(found, func(f check.Finding) bool { return f.Severity != check.Blocker })...)
	}
	found = append(found, judgeGiveUp(r)...)
	if r.restarted && len(r.exits) == 0 {
		found = append(found, check.Finding{
			Severity: check.Blocker,
			Title:    "Stays away after the fault is over",
			Expected: fmt.Sprintf("an accepted connection within %.0f s of the end of the fault", r.limit.Seconds()),
			Seen: fmt.Sprintf("after %d attempts %s it did not connect within %.0f s, but did when it was started anew",
				len(r.tries()), r.during, r.limit.Seconds()),
			Evidence: r.evidence("the attempts during the fault"),
		})
	}
	return found
}

// tries are the attempts in the outage.
func (r *ordeal) tries() []testbed.Attempt {
	if r.running {
		return retries(r.attempts)
	}
	return r.attempts
}

func (r *ordeal) evidence(what string) []evidence.Ref {
	first := r.last
	if len(r.attempts) > 0 {
		first = r.attempts[0].First
	}
	return check.Range(first, r.last, what)
}

// judgePattern grades the pauses.
func judgePattern(r ordeal) []check.Finding {
	p := pauses(r.attempts)
	f := check.Finding{
		Seen:     fmt.Sprintf("pauses of %s; %d retries in the fullest minute", seconds(testbed.Gaps(r.attempts)), fullest(retries(r.attempts), time.Minute)),
		Evidence: r.evidence("the attempts"),
	}
	switch classify(r.attempts, r.tick) {
	case storm:
		f.Severity = check.Blocker
		f.Expected = "at most 20 retries in 60 s, with pauses that grow"
		f.Title = "Reconnects more than 20 times a minute " + r.during
		if median(testbed.Gaps(r.attempts)) < instant {
			f.Title = "Reconnects without a pause " + r.during
		}
	case constant:
		f.Expected = "pauses that grow from attempt to attempt, and differ by chance"
		f.Title = fmt.Sprintf("Waits the same %.1f s before every attempt %s", median(p).Seconds(), r.during)
		if held(r.attempts) {
			f.Title = fmt.Sprintf("Tries again every %.1f s %s", median(p).Seconds(), r.during)
			f.Seen = fmt.Sprintf("%s from attempt to attempt; %d retries in the fullest minute", seconds(p), fullest(retries(r.attempts), time.Minute))
		}
		if period(r.attempts) >= patient {
			f.Severity = check.Minor // no storm: only the chance is missing
			f.Expected = "pauses that differ by chance from unit to unit"
			if r.sparse {
				return nil
			}
		}
	case linear:
		f.Expected = "pauses that grow by a factor from attempt to attempt, and differ by chance"
		f.Title = fmt.Sprintf("Waits only %.1f s longer each time %s", (p[len(p)-1]-p[0]).Seconds()/float64(len(p)-1), r.during)
	case level:
		f.Severity = check.Major
		f.Expected = "the last third of the pauses at least twice as long as the first"
		f.Title = "Its pauses do not grow " + r.during
	case doubling:
		if r.sparse || r.chance {
			return nil
		}
		f.Severity = check.Minor
		f.Expected = "pauses that differ by chance (5 % or more) from an exact doubling, so that units cut off together do not return together"
		f.Title = "Doubles its pauses exactly, without chance, " + r.during
	default:
		return nil
	}
	return []check.Finding{f}
}

// judgeExit finds a process that ended, for good or to be started anew by something of its own.
func judgeExit(r ordeal) []check.Finding {
	before := len(r.tries())
	if !r.restarted {
		before = slices.IndexFunc(r.tries(), func(a testbed.Attempt) bool { return a.Opened.After(r.exits[0].At) })
	}
	if before < 0 {
		before = len(r.tries())
	}
	status := r.exits[0].Text
	f := check.Finding{
		Severity: check.Blocker,
		Title:    check.Ended(status) + " instead of trying again " + r.during,
		Expected: "it goes on trying until the fault is over",
		Seen:     fmt.Sprintf("its process ended (%s) after %s %s, and nothing started it again", status, counted(before, "attempt"), r.during),
		Evidence: check.Range(min(r.evidence("")[0].First, r.exits[0].N), r.last, "from the first attempt to the exit"),
	}
	switch {
	case !r.restarted:
		f.Title = fmt.Sprintf("Crashes after %s", counted(before, "failed attempt"))
		f.Seen = fmt.Sprintf("its process ended (%s) after %s %s; it was started anew by itself", status, counted(before, "attempt"), r.during)
	case before == 0 && r.running:
		f.Title = check.Ended(status) + " when its connection is lost"
	}
	return []check.Finding{f}
}

// judgeGiveUp finds an attempt that lasted for too long without an answer.
func judgeGiveUp(r ordeal) []check.Finding {
	for i, a := range r.attempts {
		if i == 0 && r.running || !a.Accepted.IsZero() {
			continue
		}
		lasted, how := a.Closed.Sub(a.Opened), "it ended after"
		if a.Closed.IsZero() {
			lasted, how = r.healed.Sub(a.Opened), "it was still open after"
		}
		if lasted <= giveUp+time.Second {
			continue
		}
		return []check.Finding{{
			Title:    "Does not give up an attempt that gets no answer",
			Expected: fmt.Sprintf("each attempt given up within %.0f s", giveUp.Seconds()),
			Seen:     fmt.Sprintf("attempt %d %s: %s %.0f s", i+1, r.during, how, lasted.Seconds()),
			Evidence: check.Range(a.First, max(a.Last, r.last), "the attempt"),
		}}
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// seconds writes pauses down, the first dozen of them.
func seconds(p []time.Duration) string {
	if len(p) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, d := range p[:min(len(p), 12)] {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.1f", d.Seconds())
	}
	if len(p) > 12 {
		b.WriteString(" …")
	}
	return b.String() + " s"
}
