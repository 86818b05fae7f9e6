package check

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/testbed"
)

// Completed judges what a device did while its endpoint presented something unusual that is in order all the same; presented says
// what, as in "a valid chain of 6 kB". One connection on which application data came over TLS is enough.
func Completed(f testbed.Faced, presented string) []Finding {
	for _, a := range f.Attempts {
		if a.Secure != nil && a.Bytes > 0 {
			return nil
		}
	}
	return []Finding{{
		Title:    "Does not get through to an endpoint with " + presented,
		Expected: "a completed handshake and application data while the endpoint presents " + presented,
		Seen:     "no application data over TLS: " + Endings(f.Attempts) + "; afterwards it got through to the ordinary certificate",
		Evidence: Range(f.First, f.Last, "the attempts"),
	}}
}

// Endings says in one line how attempts ended that brought no application data over TLS, equal ones together.
func Endings(attempts []testbed.Attempt) string {
	count := map[string]int{}
	var order []string
	for _, a := range attempts {
		end := ending(a)
		if count[end]++; count[end] == 1 {
			order = append(order, end)
		}
	}
	for i, end := range order {
		order[i] = fmt.Sprintf("%d × %s", count[end], end)
	}
	return strings.Join(order, ", ")
}

func ending(a testbed.Attempt) string {
	over := a.ClosedBy
	if a.Closed.IsZero() {
		over = "still open"
	}
	switch {
	case a.Secure != nil && a.Bytes > 0:
		return "application data"
	case a.Bytes > 0:
		return fmt.Sprintf("%d bytes without TLS (%s)", a.Bytes, a.BytesText)
	case a.Secure != nil:
		return "handshake completed, then nothing (" + over + ")"
	case a.Alert != "":
		return "handshake failed: " + a.Alert
	case a.Hello == nil:
		return "no ClientHello (" + over + ")"
	}
	return "handshake not completed (" + over + ")"
}
