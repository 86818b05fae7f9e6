package security

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// place says where in an artefact something lies.
func place(n *tree.Node, offset int64) string { return fmt.Sprintf("%s, at %#x", n.Path(), offset) }

// several names the first places of something, and says how many more there are.
func several(places []string) string {
	const named = 4
	if len(places) > named {
		return fmt.Sprintf("%s and %d more", strings.Join(places[:named], "; "), len(places)-named)
	}
	return strings.Join(places, "; ")
}

// contents is how many files and parts of an artefact every byte of was searched.
func contents(f *artefact.Facts) (n int) {
	for node := range f.Root.All() {
		if node.Leaf() && node.Size() > 0 {
			n++
		}
	}
	return n
}

// groups are things of one key, in the order in which the first of each came.
type groups[T any] struct {
	keys []string
	of   map[string][]T
}

func (g *groups[T]) add(key string, thing T) {
	if g.of == nil {
		g.of = map[string][]T{}
	}
	if _, ok := g.of[key]; !ok {
		g.keys = append(g.keys, key)
	}
	g.of[key] = append(g.of[key], thing)
}

// document says whether a file is written for people: what it names is not used.
func document(n *tree.Node) bool {
	name := "/" + strings.ToLower(n.Name)
	for _, part := range []string{"/doc/", "/docs/", "/man/", "/licenses/", "/info/", "/license", "/copying", "/readme", "/notice", "/changelog", "/copyright", "/news", "/authors"} {
		if strings.Contains(name, part) {
			return n.File != nil
		}
	}
	return n.File != nil && (strings.HasSuffix(name, ".md") || strings.HasSuffix(name, ".rst"))
}

// lineOf says where a setting stands.
func lineOf(s artefact.Assignment) string { return fmt.Sprintf("line %d of %s", s.Line, s.Node.Path()) }
