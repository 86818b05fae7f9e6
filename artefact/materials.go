package artefact

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact/sbom"
	"github.com/shakedown-test/shakedown/product"
)

// Materials are the components as a bill of materials lists them.
func (f *Facts) Materials() (sbom.Subject, []sbom.Item) {
	s := sbom.Subject{Name: f.File, SHA256: f.SHA256, Package: f.Role == product.Package, Built: f.newest()}
	var items []sbom.Item
	for _, c := range f.Components {
		items = append(items, sbom.Item{Component: c.Component, SHA256: c.SHA256, Places: c.Places})
	}
	return s, items
}

// newest is when the newest file in the artefact was made.
func (f *Facts) newest() (t time.Time) {
	for n := range f.Root.All() {
		if n.File != nil && n.File.Modified.After(t) {
			t = n.File.Modified
		}
	}
	return t
}
