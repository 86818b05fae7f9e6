package security

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/advisories"
	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/artefact/sbom"
	"github.com/shakedown-test/shakedown/check"
)

// ofComponents is the Run of a check that holds the components of each artefact against the lists of what is known.
func ofComponents(judge func(f *artefact.Facts, l *advisories.Lists, t *check.T) (looked int, findings []check.Finding)) func(context.Context, *check.T) error {
	return func(ctx context.Context, t *check.T) error {
		total := 0
		for _, f := range t.Artefacts {
			l, err := f.Lists(ctx)
			if err != nil {
				return check.NotRun("correct data: in the product file, or --data", "the lists of what is known cannot be read: %v", err)
			}
			for _, note := range l.Notes {
				t.Record("lists: %s", note)
			}
			looked, findings := judge(f, l, t)
			total += looked
			t.Record("%s: %d of %d components were held against lists of %s", f.File, looked, len(f.Components), l.ExploitedAt.Format("2006-01-02"))
			t.Find(findings...)
		}
		return t.LookedAt(total, "components that are known")
	}
}

// stated are the vulnerabilities of which the maker says that they do no harm, and those that it says anything of.
func stated(f *artefact.Facts) (harmless, named map[string]bool, err error) {
	harmless, named = map[string]bool{}, map[string]bool{}
	for _, p := range f.VEX {
		data, err := p.Data, p.Err
		var all []sbom.Statement
		if err == nil {
			all, err = sbom.ReadVEX(data)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		for _, s := range all {
			named[s.ID] = true
			if !s.Harmed {
				harmless[s.ID] = true
			}
		}
		for _, s := range all { // where two statements contradict, the one that warns counts
			if s.Harmed {
				delete(harmless, s.ID)
			}
		}
	}
	return harmless, named, nil
}

// whereabouts says where a component was found and by what, for a finding.
func whereabouts(c artefact.Component) string {
	more := ""
	if n := len(c.Places) - 1; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	at := ""
	if c.Source == components.Banner {
		at = fmt.Sprintf(" at %#x", c.Offset)
	}
	return fmt.Sprintf("%s, told by %s in %s%s%s", labelled(c), c.Source, c.Node.Path(), at, more)
}

func labelled(c artefact.Component) string { return strings.TrimSpace(c.Name + " " + c.Version) }

// patched says of a component whose version does not show what its distributor mended why a list by version may be wrong about it; else
// it is empty.
func patched(c components.Component) string {
	switch {
	case c.Packaged():
		return "; that is the version of the project: who built the package may have mended it without a new one"
	case c.Product == "linux_kernel":
		return "; that is the version of the project: makers of chips and distributions often mend kernels without a new one"
	case c.Product == "glibc":
		return "; that is the version of the project: its release branches are mended without a new one"
	}
	return ""
}

// shortened lists words, and says how many are left out.
func shortened(words []string, most int) string {
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
}

// maintained are the distributions that mend the packages of a release until its end, whatever the projects do.
var maintained = []string{"debian", "ubuntu", "alpine", "openwrt", "raspbian", "fedora", "poky", "cip"}

func distributed(c components.Component) bool {
	return slices.Contains(maintained, c.Distro) && (c.Packaged() || c.Product == "linux_kernel" || c.Product == "glibc")
}

// paper reads the bill of materials of an artefact; nil: none is given.
func paper(f *artefact.Facts) (*sbom.Document, error) {
	if f.SBOM == nil {
		return nil, nil
	}
	if f.SBOM.Err != nil {
		return nil, f.SBOM.Err
	}
	d, err := sbom.Read(f.SBOM.Data)
	if errors.Is(err, sbom.ErrFormat) {
		err = fmt.Errorf("%w\nhint: give CycloneDX or SPDX 2 as JSON", err)
	}
	return d, err
}

// amount is a number with a word that stands for one thing: "1 component", "3 components".
func amount(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
