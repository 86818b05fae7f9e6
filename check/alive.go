package check

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/testbed"
)

// Alive judges a probe that followed an injection; after says what was injected, as in "a PUBLISH with QoS 3".
func Alive(p testbed.Probe, after string) []Finding {
	f := Finding{
		Severity: Blocker,
		Expected: "after " + after + " it works on, or closes the connection and comes back by itself",
		Evidence: Range(p.First, p.Last, "from the injection to the end of the probe"),
	}
	switch p.Health {
	case testbed.Answers, testbed.CameBack:
		return nil
	case testbed.Deaf:
		f.Title = "Is deaf after " + after
		f.Seen = fmt.Sprintf("the connection stayed open, but %s was not answered; given up after %.0f s", p.How, p.Took.Seconds())
		if !p.Closed.IsZero() {
			f.Seen = fmt.Sprintf("%s was not answered, nothing came until the broker closed the connection (%s), and no other was made; given up after %.0f s",
				p.How, p.ClosedBy, p.Took.Seconds())
		}
	case testbed.Exited:
		f.Title = Ended(p.Exit) + " after " + after
		f.Seen = fmt.Sprintf("its process ended by itself (%s), and nothing started it again", p.Exit)
	case testbed.StaysAway:
		f.Title = "Stays away after " + after
		f.Seen = fmt.Sprintf("it closed the connection (%s) and did not connect again within %.0f s", p.ClosedBy, p.Took.Seconds())
	}
	return []Finding{f}
}

// Ended is what a process did that ended by itself with that status, as a verb: only a signal tells a crash from an exit.
func Ended(status string) string {
	if strings.HasPrefix(status, "signal") {
		return "Crashes"
	}
	return "Exits"
}
