package testbed

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// Account says in one line how far the part under test got in events: how many connections it opened, what came on them, and the
// last thing that was wrong.
func Account(events []evidence.Event) string {
	var opened, hellos, secure, connects, refused int
	var wrong, plain string
	for _, a := range Attempts(events) {
		switch {
		case a.Conn == 0:
			refused++
			continue
		case a.Hello != nil:
			hellos++
		}
		opened++
		if a.Secure != nil {
			secure++
		}
		if a.Connect != nil {
			connects++
		}
		if a.Bytes > 0 && a.Connect == nil {
			plain = fmt.Sprintf("%d bytes that are no MQTT CONNECT (%s)", a.Bytes, a.BytesText)
		}
	}
	for _, e := range events {
		switch e.Kind {
		case evidence.Alert:
			wrong = "TLS: " + e.Text
		case evidence.Bad:
			wrong = "malformed: " + e.Text
		case evidence.Overflow:
			wrong = e.Text
		case evidence.Exit:
			wrong = "its process ended: " + e.Text
		}
	}
	if opened+refused == 0 {
		return withLast("it opened no connection", wrong)
	}
	words := []string{fmt.Sprintf("it opened %d connections", opened)}
	if refused > 0 {
		words = append(words, fmt.Sprintf("was refused %d times", refused))
	}
	if hellos > 0 {
		words = append(words, fmt.Sprintf("sent %d ClientHellos", hellos), fmt.Sprintf("completed %d TLS handshakes", secure))
	}
	if plain != "" {
		words = append(words, "sent "+plain)
	}
	words = append(words, fmt.Sprintf("sent %d CONNECTs", connects))
	return withLast(strings.Join(words, ", "), wrong)
}

func withLast(said, wrong string) string {
	if wrong == "" {
		return said
	}
	return said + "; at last: " + wrong
}
