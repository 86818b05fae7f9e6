package cli

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// mostRunning is how many running jobs are shown.
const mostRunning = 6

// rows is the live area for a terminal of this size: a bar, what was found, what runs now.
func (w *watch) rows(columns, lines int) []row {
	now := w.app.Now()
	rows := []row{{w.head(columns, now), "bold"}}
	room := min(mostRunning, lines-4, len(w.running))
	for i := range max(0, room) {
		r := w.running[i]
		text := "  " + where(r.job.Check, r.job.Variant)
		if r.step != "" {
			text += "  " + plain(r.step)
		}
		spent := fmt.Sprintf("%4.0f s", now.Sub(r.begun).Seconds())
		text = cut(text, columns-len(spent)-3)
		text += strings.Repeat(" ", max(1, columns-1-len([]rune(text))-len(spent))) + spent
		rows = append(rows, row{cut(text, columns-1), ""})
	}
	if more := len(w.running) - max(0, room); more > 0 && room > 0 {
		rows = append(rows, row{cut(fmt.Sprintf("  and %d more", more), columns-1), "dim"})
	}
	return rows
}

// head is the line with the bar, the time left and the tally.
func (w *watch) head(columns int, now time.Time) string {
	if w.ctx.Err() != nil {
		return cut("Ending in good order; Ctrl-C again ends at once.", columns-1)
	}
	text := fmt.Sprintf("%d/%d", w.done, w.total)
	if left, known := w.timeLeft(now); known {
		text += ", " + left
	}
	if tally := w.tally(); tally != "" {
		text += ", " + tally
	}
	if width := min(30, columns-len([]rune(text))-4); width >= 6 {
		text = bar(w.done, w.total, width) + " " + text
	}
	return cut(text, columns-1)
}

func bar(done, total, width int) string {
	full := width
	if total > 0 {
		full = done * width / total
	}
	return "[" + strings.Repeat("█", full) + strings.Repeat("░", width-full) + "]"
}

// tally is what went wrong so far, worst first.
func (w *watch) tally() string {
	var parts []string
	for _, s := range []evidence.Severity{evidence.Blocker, evidence.Major, evidence.Minor, evidence.Info} {
		if n := w.found[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	if w.notRun > 0 {
		parts = append(parts, fmt.Sprintf("%d not run", w.notRun))
	}
	return strings.Join(parts, ", ")
}

// timeLeft is how long it will still take: what the checks say of themselves, corrected by how long those that ended really took.
func (w *watch) timeLeft(now time.Time) (string, bool) {
	var left time.Duration
	if w.planted {
		if w.done*20 < w.total || w.done == 0 {
			return "", false
		}
		left = now.Sub(w.begun) * time.Duration(w.total-w.done) / time.Duration(w.done)
	} else {
		slower := w.slower(now)
		all := maps.Clone(w.left)
		for _, r := range w.running {
			all[r.job] = max(0, w.pace.Typical(r.job.Check)-time.Duration(float64(now.Sub(r.begun))/slower))
		}
		left = time.Duration(float64(w.pace.Wall(all)) * slower)
	}
	switch {
	case left < time.Second:
		return "a moment left", true
	case left < 10*time.Second:
		return fmt.Sprintf("about %.0f s left", left.Seconds()), true
	}
	return "about " + roughly(left.Round(time.Second)) + " left", true
}

// slower is how many times as long as they say jobs take here. What runs counts with what it took so far: of jobs that began together the
// quick ones end first.
func (w *watch) slower(now time.Time) float64 {
	const trust = 5 * time.Second // so much of what the checks say stands against what was seen
	took, typical := w.took+trust, w.typical+trust
	for _, r := range w.running {
		spent := now.Sub(r.begun)
		took, typical = took+spent, typical+min(spent, w.pace.Typical(r.job.Check))
	}
	return float64(took) / float64(typical)
}

// ended is the plain line of a job.
func (w *watch) ended(r evidence.Result) string {
	width := len(fmt.Sprint(w.total))
	text := fmt.Sprintf("%*d/%d  %-14s  %s  %.1f s", width, w.done, w.total, r.Outcome, where(r.Check, r.Variant), r.Seconds)
	if r.Reason != "" && !w.planted {
		first, _, _ := strings.Cut(r.Reason, "\n")
		text += "  " + plain(first)
	}
	return text
}
