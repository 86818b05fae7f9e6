package artefact

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Difference is what two versions of an artefact do not have in common.
type Difference struct {
	Old, New string // the files
	Sections []Section

	Added, Removed, Changed int // files in file systems and archives
}

// Section is one kind of thing: what only the new one has, what only the old one had, and what both have in another version.
type Section struct {
	What, One             string // "setuid files", "setuid file"
	Gained, Lost, Changed []string
}

// Compare tells what changed from one version of an artefact to another. Files are the same when their paths in their file systems are.
func Compare(old, now *Facts) Difference {
	d := Difference{Old: old.File, New: now.File}
	was, is := old.files(), now.files()
	for name, n := range is {
		o, ok := was[name]
		switch {
		case !ok:
			d.Added++
		case !same(o, n):
			d.Changed++
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			d.Removed++
		}
	}
	for _, s := range []struct {
		what, one string
		of        func(*Facts) []string
	}{
		{"services and programs that are started", "service or program that is started", (*Facts).starts},
		{"setuid or setgid files", "setuid or setgid file", (*Facts).privileged},
		{"accounts", "account", (*Facts).accounts},
		{"private keys", "private key", (*Facts).privateKeys},
		{"certificates", "certificate", (*Facts).certificates},
		{"programs", "program", (*Facts).programs},
	} {
		gained, lost := apart(s.of(old), s.of(now))
		d.add(Section{What: s.what, One: s.one, Gained: gained, Lost: lost})
	}
	d.add(componentsApart(old, now))
	return d
}

func (d *Difference) add(s Section) {
	if len(s.Gained)+len(s.Lost)+len(s.Changed) > 0 {
		d.Sections = append(d.Sections, s)
	}
}

// apart are the lines that only one of two lists has.
func apart(old, now []string) (gained, lost []string) {
	was, is := map[string]bool{}, map[string]bool{}
	for _, s := range old {
		was[s] = true
	}
	for _, s := range now {
		is[s] = true
	}
	for s := range is {
		if !was[s] {
			gained = append(gained, s)
		}
	}
	for s := range was {
		if !is[s] {
			lost = append(lost, s)
		}
	}
	slices.Sort(gained)
	slices.Sort(lost)
	return gained, lost
}

// files are those of all file systems, by path. Of two with the same path the first counts.
func (f *Facts) files() map[string]*tree.Node {
	all := map[string]*tree.Node{}
	for n := range f.Root.All() {
		if n.File == nil || n.File.Mode.IsDir() {
			continue
		}
		if _, twice := all[n.Name]; !twice {
			all[n.Name] = n
		}
	}
	return all
}

// same reports whether two files have the same mode, target and bytes.
func same(a, b *tree.Node) bool {
	if a.File.Mode != b.File.Mode || a.File.Target != b.File.Target || a.Size() != b.Size() {
		return false
	}
	if a.Data == nil || b.Data == nil {
		return a.Data == b.Data
	}
	x, y := sum(a), sum(b)
	return x != nil && bytes.Equal(x, y)
}

func sum(n *tree.Node) []byte {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(n.Data, 0, n.Size())); err != nil {
		return nil
	}
	return h.Sum(nil)
}

func (f *Facts) starts() (all []string) {
	for _, s := range f.Starts {
		all = append(all, fmt.Sprintf("%s (%s)", s.Command.Program(), s.Node.Name))
	}
	return all
}

func (f *Facts) privileged() (all []string) {
	for name, n := range f.files() {
		if m := n.File.Mode; m.IsRegular() && m&(fs.ModeSetuid|fs.ModeSetgid) != 0 && m.Perm()&0o111 != 0 {
			all = append(all, name)
		}
	}
	return all
}

func (f *Facts) programs() (all []string) {
	for name, n := range f.files() {
		if m := n.File.Mode; m.IsRegular() && m.Perm()&0o111 != 0 {
			all = append(all, name)
		}
	}
	return all
}

func (f *Facts) accounts() (all []string) {
	for _, a := range f.Accounts {
		if !a.Shadow {
			all = append(all, a.Name)
		}
	}
	return all
}

func (f *Facts) privateKeys() (all []string) {
	for _, k := range f.PrivateKeys {
		all = append(all, fmt.Sprintf("%s %s", k.String(), k.Secret[:min(len(k.Secret), 16)]))
	}
	return all
}

func (f *Facts) certificates() (all []string) {
	for _, c := range f.Certificates {
		h := sha256.Sum256(c.Cert.Raw)
		name := c.Cert.Subject.String()
		if len(name) > 100 {
			name = strings.ToValidUTF8(name[:100], "") + "…"
		}
		all = append(all, fmt.Sprintf("%s %s", name, hex.EncodeToString(h[:8])))
	}
	return all
}

// componentsApart compares components by name and source: one that has another version changed.
func componentsApart(old, now *Facts) Section {
	s := Section{What: "components", One: "component"}
	versions := func(f *Facts) map[string][]string {
		all := map[string][]string{}
		for _, c := range f.Components {
			if c.Source == components.Release { // the product itself
				continue
			}
			k := c.Name + "\x00" + string(c.Source)
			all[k] = append(all[k], c.Version)
		}
		return all
	}
	was, is := versions(old), versions(now)
	for _, k := range slices.Sorted(maps.Keys(is)) {
		name, _, _ := strings.Cut(k, "\x00")
		before := was[k]
		switch after := is[k]; {
		case before == nil:
			s.Gained = append(s.Gained, strings.TrimSpace(name+" "+strings.Join(after, ", ")))
		case !slices.Equal(before, after):
			s.Changed = append(s.Changed, fmt.Sprintf("%s %s → %s", name, strings.Join(before, ", "), strings.Join(after, ", ")))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(was)) {
		if name, _, _ := strings.Cut(k, "\x00"); is[k] == nil {
			s.Lost = append(s.Lost, strings.TrimSpace(name+" "+strings.Join(was[k], ", ")))
		}
	}
	return s
}
