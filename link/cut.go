package link

import (
	"fmt"

	"github.com/shakedown-test/shakedown/evidence"
)

// Cut ends all open connections now, with a RST or a FIN, and returns how many they were. It has no undo; it logs one Impair event.
func (s *Stream) Cut(reset bool) int {
	how, n := endingOf(reset), 0
	for _, c := range s.open() {
		if c.shut(how) {
			n++
		}
	}
	s.add(evidence.Event{Kind: evidence.Impair, Text: fmt.Sprintf("cut: %s, %d connections", how, n)})
	return n
}
