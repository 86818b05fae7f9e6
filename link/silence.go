package link

import "github.com/shakedown-test/shakedown/evidence"

// Silence makes the connections that are open now silent for good, as when the part loses its power: nothing passes either way, and
// the stand-in hears neither FIN nor RST, whatever the machine's kernel says for the part. New connections are not touched.
func (s *Stream) Silence() {
	s.hushing.Lock()
	defer s.hushing.Unlock()
	all := s.open()
	for _, c := range all {
		c.setHush(lost)
	}
	s.add(evidence.Event{Kind: evidence.Impair, Text: "open connections silenced"})
}
