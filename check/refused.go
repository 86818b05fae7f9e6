package check

import (
	"fmt"

	"github.com/shakedown-test/shakedown/testbed"
)

// Refused judges what a device did while its endpoint presented something that it must not trust; presented says what, as in "a
// certificate that expired an hour ago". Judged by the bytes, not by the handshake: a client may complete the handshake before it
// decides, but nothing of the application may follow.
func Refused(f testbed.Faced, presented string) []Finding {
	for _, a := range f.Attempts {
		if a.Bytes == 0 {
			continue
		}
		what, how := "application data without TLS", "without TLS"
		if a.Secure != nil {
			what, how = "application data", "after a completed handshake"
		}
		return []Finding{{
			Title:    "Sends " + what + " to an endpoint with " + presented,
			Expected: "not one application byte while the endpoint presents " + presented,
			Seen:     fmt.Sprintf("on connection %d it sent %d application bytes %s: %s", a.Conn, a.Bytes, how, a.BytesText),
			Evidence: Range(a.First, a.Last, "the connection on which it sent application data"),
		}}
	}
	return nil
}

// Tried reports whether any attempt got as far as a ClientHello or to application bytes: without one, nothing was refused.
func Tried(f testbed.Faced) bool {
	for _, a := range f.Attempts {
		if a.Hello != nil || a.Bytes > 0 {
			return true
		}
	}
	return false
}

// Refusals counts how the attempts ended: with a TLS alert, or without a word.
func Refusals(f testbed.Faced) (alerts []string, silent int) {
	for _, a := range f.Attempts {
		switch {
		case a.Hello == nil:
		case a.Alert != "":
			alerts = append(alerts, a.Alert)
		default:
			silent++
		}
	}
	return alerts, silent
}
