package artefact

import (
	"fmt"

	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/artefact/search"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// marks are what is searched for in every byte, in one pass.
var marks = search.New(keys.Patterns(0))

const mostHits = 200_000 // of a stretch: the bytes of no honest one have as many

// findSecrets looks for keys, certificates and secrets.
func findSecrets(c content, found *Found) {
	var items []keys.Item
	hits := 0
	marks.Each(c.data, func(id, at int) {
		if hits++; hits > mostHits {
			return
		}
		if i, ok := keys.Read(id, c.data, at); ok {
			items = append(items, i)
		}
	})
	if hits > mostHits {
		c.node.Notes = append(c.node.Notes, tree.Note{Offset: c.at, Text: fmt.Sprintf("of %d places that may be keys %d were looked at", hits, mostHits)})
	}
	found.addKeys(c, items)
}
