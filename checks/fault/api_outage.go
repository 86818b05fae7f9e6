package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/web"
)

// apiOutage is an HTTP API on which no request of the device succeeds.
type apiOutage struct {
	during string // as in "while its API answers 500"
	do     web.Answer
}

// apiOrdeal is what a device did in it.
type apiOrdeal struct {
	apiOutage
	attempts []testbed.Attempt // one for each request; it ends with the answer or the connection
	most     int               // requests that were open at once
	every    time.Duration     // the device's ordinary pause, as declared
	exits    []evidence.Event
	first    int
	last     int
	tick     time.Duration
}

// run carries it out: the ordinary world first, then the outage until the pattern of the requests is decided, then the healed world.
func (o apiOutage) run(ctx context.Context, t *check.T) error {
	if err := t.Fetches(ctx); err != nil {
		return err
	}
	doc := t.Device.Document()
	t.Device.Offer(doc)
	r := apiOrdeal{
		apiOutage: o, every: time.Duration(t.Device.HTTP().Every), first: t.Log.Len(), tick: max(t.Clock.Device(8*time.Millisecond), busy),
	}
	t.Step("look on %s", o.during)
	heal := t.Impair(t.Web.When(web.Rule{Path: doc.Path, Do: o.do}))
	wait, cancel := t.Clock.Timeout(ctx, lookFor)
	defer cancel()
	for {
		seen := t.Log.Len()
		r.see(t, doc.Path)
		if len(r.exits) > 0 && t.Device.Part.Driver == "process" || t.Log.Dropped() > 0 || classify(r.attempts, r.tick) != undecided {
			break
		}
		if _, err := t.Log.Await(wait, seen, changes); err != nil {
			break // the time is over: what was seen counts
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	heal()
	if len(r.attempts) == 0 && len(r.exits) == 0 {
		return check.NotRun("see in the evidence what it does after it was online", "no request came %s", o.during)
	}
	t.Record("requests: %d; pauses: %s; they are %q", len(r.attempts), seconds(testbed.Gaps(r.attempts)), classify(r.attempts, r.tick))
	t.Measure("requests in the fullest minute", float64(fullest(r.attempts, time.Minute)), "", "<= 21")
	t.Find(judgeAPI(r)...)
	_, err := t.FetchesAgain(ctx, "a time "+o.during)
	return err
}

// changes reports whether an event changes what is known of the requests.
func changes(e evidence.Event) bool {
	_, asked := web.Got(e)
	_, answered := web.Sent(e)
	return asked || answered || e.Kind == evidence.Close || e.Kind == evidence.Exit || e.Kind == evidence.Overflow
}

// see gathers the requests since the outage began.
func (r *apiOrdeal) see(t *check.T, path string) {
	events := t.Log.Since(r.first)
	r.last = r.first + len(events) - 1
	r.attempts, r.most = requests(events, path)
	r.exits = exitsOf(events, t.Device.Part.Name)
}

// requests makes an attempt of each request for a path, and counts how many were open at once.
func requests(events []evidence.Event, path string) (all []testbed.Attempt, most int) {
	for i, e := range events {
		q, ok := web.Got(e)
		if !ok || q.Path != path {
			continue
		}
		a := testbed.Attempt{Conn: e.Conn, First: e.N, Last: e.N, Opened: e.At}
		for _, after := range events[i+1:] {
			_, answered := web.Sent(after)
			if after.Conn == e.Conn && after.Part == e.Part && (answered || after.Kind == evidence.Close) {
				a.Closed, a.Last = after.At, after.N
				break
			}
		}
		open := 1
		for _, before := range all {
			if before.Closed.IsZero() || before.Closed.After(a.Opened) {
				open++
			}
		}
		most = max(most, open)
		all = append(all, a)
	}
	return all, most
}

// judgeAPI grades the pauses between requests. A device that only goes on at its ordinary pace adds nothing to the trouble.
func judgeAPI(r apiOrdeal) []check.Finding {
	var found []check.Finding
	ev := check.Range(r.first, r.last, "the requests "+r.during)
	if len(r.exits) > 0 {
		found = append(found, check.Finding{
			Severity: check.Blocker, Title: check.Ended(r.exits[0].Text) + " " + r.during, Expected: "it goes on trying",
			Seen: "its process ended by itself: " + r.exits[0].Text, Evidence: ev,
		})
	}
	if r.most > 2 {
		found = append(found, check.Finding{
			Severity: check.Major, Title: "Piles up requests " + r.during, Expected: "one request at a time",
			Seen: fmt.Sprintf("%d were open at once", r.most), Evidence: ev,
		})
	}
	p := pauses(r.attempts)
	f := check.Finding{
		Seen:     fmt.Sprintf("pauses of %s; %d requests in the fullest minute", seconds(testbed.Gaps(r.attempts)), fullest(r.attempts, time.Minute)),
		Evidence: ev,
	}
	kept := len(p) > 0 && float64(slices.Min(p)) >= 0.9*float64(r.every)
	switch pattern := classify(r.attempts, r.tick); {
	case pattern == storm:
		f.Severity, f.Title, f.Expected = check.Blocker, "Asks more than 20 times a minute "+r.during, "at most 20 retries in 60 s, with pauses that grow"
	case kept:
		return found
	case pattern == constant, pattern == linear, pattern == level:
		f.Severity, f.Title = check.Major, fmt.Sprintf("Does not lengthen its pauses of about %.1f s %s", median(p).Seconds(), r.during)
		f.Expected = fmt.Sprintf("pauses that grow, or its ordinary one of %.0f s", r.every.Seconds())
	case pattern == doubling:
		f.Severity, f.Title = check.Minor, "Doubles its pauses exactly, without chance, "+r.during
		f.Expected = "pauses that differ by chance, so that a fleet does not come back together"
	default:
		return found
	}
	return append(found, f)
}
