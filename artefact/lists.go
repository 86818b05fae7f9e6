package artefact

import (
	"context"
	"fmt"
	"sync"

	"github.com/shakedown-test/shakedown/artefact/advisories"
)

// lists are read once for an artefact, however many checks ask for them.
type lists struct {
	once sync.Once
	all  *advisories.Lists
	err  error
}

// Lists are what is known of its components: the bundled tables, and those of the folder that the maker gives.
func (f *Facts) Lists(ctx context.Context) (*advisories.Lists, error) {
	f.lists.once.Do(func() {
		if f.Data == nil {
			f.lists.all = advisories.Bundled()
			return
		}
		type key struct{ ecosystem, name string }
		wanted := map[key]bool{}
		for _, c := range f.Components {
			ecosystem, name := advisories.Ecosystem(c.Component)
			wanted[key{ecosystem, name}] = ecosystem != ""
		}
		f.lists.all, f.lists.err = advisories.Read(ctx, f.Data, func(ecosystem, name string) bool {
			return wanted[key{ecosystem, name}]
		})
		if f.lists.err != nil {
			f.lists.err = fmt.Errorf("folder %s: %w", f.DataName, f.lists.err)
		}
	})
	return f.lists.all, f.lists.err
}
