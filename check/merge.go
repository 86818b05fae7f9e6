package check

import (
	"fmt"
	"slices"
)

// Merge joins risks of the same id, so that a team can add checks of its own to a bundled risk: Merge(append(checks.All(), mine...)).
// A risk stands where its id comes first; its title and its plain words are the first that are told. Two checks with one id are a
// mistake in the program, on which Merge panics.
func Merge(risks []Risk) []Risk {
	var out []Risk
	taken := map[string]bool{}
	for _, r := range risks {
		for _, c := range r.Checks {
			if taken[c.ID] {
				panic(fmt.Sprintf("there are two checks %s", c.ID))
			}
			taken[c.ID] = true
		}
		i := slices.IndexFunc(out, func(o Risk) bool { return o.ID == r.ID })
		if i < 0 {
			r.Checks = slices.Clone(r.Checks)
			out = append(out, r)
			continue
		}
		if out[i].Title == "" {
			out[i].Title = r.Title
		}
		if out[i].Plain == "" {
			out[i].Plain = r.Plain
		}
		out[i].Checks = append(out[i].Checks, r.Checks...)
	}
	return out
}
