package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// OfArtefacts is the Run of a check that judges each artefact by itself. Judge says at how many subjects of an artefact it could look;
// subjects is what they are called: "ELF binaries". Where there are none the check is not applicable.
func OfArtefacts(subjects string, judge func(f *artefact.Facts, t *T) (looked int, findings []Finding)) func(context.Context, *T) error {
	return func(_ context.Context, t *T) error {
		total := 0
		for _, f := range t.Artefacts {
			looked, findings := judge(f, t)
			total += looked
			t.Record("%s: %d %s were looked at", f.File, looked, subjects)
			t.Find(findings...)
		}
		return t.LookedAt(total, subjects)
	}
}

// LookedAt is what the Run of a check of artefacts returns in the end: an error where nothing was there to be looked at, or where too
// much of an artefact cannot be read, so that a finding may lie in the rest.
func (t *T) LookedAt(n int, subjects string) error {
	for _, f := range t.Artefacts {
		if len(f.Unsearched) > 0 {
			return NotRun("this is a fault of Shakedown: report it with that file", "%s could not be searched whole: %s", f.File, f.Unsearched[0])
		}
		if f.Overfull {
			return NotRun("give its parts one by one", "more was found in %s than there is room for: not all of it was judged", f.File)
		}
		if f.Size > 0 && f.Opaque*2 > f.Size {
			return NotRun("give the image as it is before it is encrypted",
				"%d %% of %s cannot be read: it is encrypted, or packed in a way that is not known", f.Opaque*100/f.Size, f.File)
		}
	}
	if n == 0 {
		return NotApplicable("it has no %s", subjects)
	}
	return nil
}

// Places names nodes, at most five of them.
func Places(nodes []*tree.Node) string {
	var names []string
	for _, n := range nodes[:min(5, len(nodes))] {
		names = append(names, n.Path())
	}
	if more := len(nodes) - len(names); more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), more)
	}
	return strings.Join(names, ", ")
}
