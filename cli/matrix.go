package cli

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/campaign"
)

// matrixText is the planted-defect matrix for people: what went wrong comes last, so that it is on the screen.
func matrixText(m campaign.Matrix) string {
	var b strings.Builder
	fmt.Fprintln(&b, "PLANTED DEFECTS")
	found := 0
	for _, d := range m.Defects {
		mark := "missed"
		if len(d.FoundBy) > 0 {
			mark = "found "
			found++
		}
		missed := missedBy(m, d.ID)
		if mark == "missed" && len(missed) == 0 {
			continue // no check that was chosen looks for it
		}
		fmt.Fprintf(&b, "  %s  %s: %s\n", mark, plain(d.ID), plain(d.What))
		for _, id := range d.FoundBy {
			wrap(&b, "            found by ", id+": "+d.Titles[id])
		}
		for _, miss := range missed {
			wrap(&b, "            MISSED by ", strings.TrimSuffix(miss.Check+": "+miss.Reason, "; "))
		}
	}
	alarms(&b, fmt.Sprintf("FALSE ALARMS on the clean product, in %d repetitions", m.Repetitions), m.FalseAlarms)
	alarms(&b, "UNDECIDED on the clean product", m.Undecided)
	if len(m.Idle) > 0 {
		fmt.Fprintln(&b, "\nIDLE: these checks found no planted defect")
		wrap(&b, "  ", strings.Join(m.Idle, ", "))
	}
	fmt.Fprintln(&b)
	wrap(&b, "", fmt.Sprintf("%s, %s found, %d misses, %s, %d undecided, %d idle. %s on the clean product, seed %d, %s.",
		count(len(m.Checks), "check"), count(found, "defect"), len(m.Missed), count(len(m.FalseAlarms), "false alarm"), len(m.Undecided), len(m.Idle),
		count(m.Repetitions, "repetition"), m.Seed, span(m.Seconds)))
	return b.String()
}

func missedBy(m campaign.Matrix, defect string) []campaign.Miss {
	var out []campaign.Miss
	for _, miss := range m.Missed {
		if miss.Defect == defect {
			out = append(out, miss)
		}
	}
	return out
}

// alarms lists what should not have been, each once with how often.
func alarms(b *strings.Builder, title string, list []campaign.FalseAlarm) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	times := map[campaign.FalseAlarm]int{}
	for _, one := range list {
		times[one]++
	}
	for _, one := range list {
		if n := times[one]; n > 0 {
			wrap(b, "  ", fmt.Sprintf("%s, %d times: %s", where(one.Check, one.Variant), n, one.Text))
			delete(times, one)
		}
	}
}
