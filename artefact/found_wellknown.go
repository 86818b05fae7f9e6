package artefact

import (
	"github.com/shakedown-test/shakedown/artefact/search"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// WellKnown is a key that everybody knows, because a standard or a stack says so.
type WellKnown struct {
	What   string
	Node   *tree.Node
	Offset int64
}

// wellKnown are such keys, with the standard that names them.
var wellKnown = []struct{ bytes, what string }{
	// Zigbee Base Device Behavior, section 6.3.1, and as stacks keep it, the last byte first
	{"ZigBeeAlliance09", "the default link key of Zigbee"},
	{"90ecnaillAeeBgiZ", "the default link key of Zigbee"},
	// ZLL
	{"\x9f\x55\x95\xf1\x02\x57\xc8\xa4\x69\xcb\xf4\x2b\xc9\x3f\xee\x31", "the master key of Zigbee touchlink, which was published in 2015"},
}

func wellKnownPatterns(first int) (list []search.Pattern) {
	for i, k := range wellKnown {
		list = append(list, search.Pattern{Bytes: k.bytes, ID: first + i})
	}
	return list
}

func (f *Found) addWellKnown(c content, i, at int) {
	if len(f.WellKnown) < 1000 {
		f.WellKnown = append(f.WellKnown, WellKnown{wellKnown[i].what, c.node, c.at + int64(at)})
	}
}
