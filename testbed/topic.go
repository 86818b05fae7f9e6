package testbed

import (
	"strings"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// TopicUnder is a topic name that filter matches, with a word of ours in place of each wildcard.
func TopicUnder(filter string) string {
	if _, rest, ok := mqtt.SplitShare(filter); ok {
		filter = rest
	}
	levels := strings.Split(filter, "/")
	for i, l := range levels {
		if l == "+" || l == "#" {
			levels[i] = "shakedown"
		}
	}
	return strings.Join(levels, "/")
}
