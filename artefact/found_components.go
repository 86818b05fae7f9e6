package artefact

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/artefact/components"
	"github.com/shakedown-test/shakedown/artefact/versions"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Component is third-party software with the place where it was told first.
type Component struct {
	components.Component
	Node   *tree.Node
	Offset int64    // in the data of the node; 0 in a database of packages
	SHA256 string   // of the file that holds a version string, in hex; empty: not of a whole file
	Places []string // of all, the first included, as far as there are not too many
}

const mostPlaces = 20

// findComponents reads package databases and the like, and looks for version strings in what is not text.
func findComponents(c content, found *Found) {
	add := func(comp components.Component, offset int64, sum string) {
		found.Components = append(found.Components, Component{Component: comp, Node: c.node, Offset: offset, SHA256: sum, Places: []string{c.node.Path()}})
	}
	if c.node.File != nil && c.at == 0 && c.whole {
		for _, comp := range components.Files(c.node.Name, c.data) {
			add(comp, 0, "")
		}
	}
	find := components.Programs
	if bytes.IndexByte(c.data[:min(len(c.data), 4<<10)], 0) < 0 && c.node.File != nil { // text
		switch path.Ext(strings.ToLower(c.node.Name)) {
		case ".js", ".html", ".htm", ".mjs":
			find = components.Scripts
		default:
			return
		}
	}
	hits := find(c.data)
	var goes []components.Component
	if c.whole && bytes.HasPrefix(c.data, []byte("\x7fELF")) {
		goes = components.Go(c.data)
	}
	sum := ""
	if c.whole && c.node.File != nil && len(hits)+len(goes) > 0 {
		h := sha256.Sum256(c.data)
		sum = hex.EncodeToString(h[:])
	}
	for _, h := range hits {
		add(h.Component, c.at+int64(h.Offset), sum)
	}
	for _, g := range goes {
		add(g, 0, "")
	}
}

// joinComponents makes one of those that are the same, and drops version strings of programs that a package database of the same file
// system has with that version. Where it has another one, both stay: one of them is wrong, or the program did not come in the package.
func joinComponents(all []Component) (joined []Component) {
	systems := map[*tree.Node]components.Component{}
	for _, c := range all {
		if c.Source == components.Release {
			systems[c.Node.Root()] = c.Component
		}
	}
	type key struct{ name, version, source, distro string }
	at := map[key]int{}
	for _, c := range all {
		if c.Packaged() {
			c.Distro, c.DistroVersion = cmp.Or(c.Distro, systems[c.Node.Root()].Name), systems[c.Node.Root()].Version
		}
		k := key{strings.ToLower(c.Name), c.Version, string(c.Source), c.Distro}
		if i, ok := at[k]; ok {
			j := &joined[i]
			j.License, j.Origin = cmp.Or(j.License, c.License), cmp.Or(j.Origin, c.Origin)
			if j.Vendor == "" && c.Vendor != "" {
				j.Vendor, j.Product = c.Vendor, c.Product
			}
			if p := c.Places[0]; len(j.Places) < mostPlaces && !slices.Contains(j.Places, p) {
				j.Places = append(j.Places, p)
			}
			continue
		}
		at[k] = len(joined)
		joined = append(joined, c)
	}
	packaged := map[*tree.Node]map[string]string{} // by file system and project: the version of the project
	for _, c := range joined {
		if c.Packaged() && c.Product != "" {
			if packaged[c.Node.Root()] == nil {
				packaged[c.Node.Root()] = map[string]string{}
			}
			packaged[c.Node.Root()][c.Product] = c.Upstream
		}
	}
	joined = slices.DeleteFunc(joined, func(c Component) bool {
		v, ok := packaged[c.Node.Root()][c.Product]
		return c.Source == components.Banner && ok && versions.Upstream.Compare(v, c.Upstream) == 0
	})
	slices.SortStableFunc(joined, func(a, b Component) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), a.Scheme().Compare(a.Version, b.Version), cmp.Compare(a.Source, b.Source))
	})
	return joined
}
