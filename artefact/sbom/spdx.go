package sbom

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
)

// The documents of SPDX 2.3, as far as they are written here.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		License       string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Describes     []string           `json:"documentDescribes,omitempty"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID        string         `json:"SPDXID"`
		Name      string         `json:"name"`
		Version   string         `json:"versionInfo,omitempty"`
		Supplier  string         `json:"supplier,omitempty"`
		Download  string         `json:"downloadLocation"`
		Analyzed  bool           `json:"filesAnalyzed"`
		Concluded string         `json:"licenseConcluded,omitempty"`
		Declared  string         `json:"licenseDeclared,omitempty"`
		Licenses  string         `json:"licenseComments,omitempty"`
		Copyright string         `json:"copyrightText,omitempty"`
		Purpose   string         `json:"primaryPackagePurpose,omitempty"`
		Checksums []spdxChecksum `json:"checksums,omitempty"`
		Refs      []spdxRef      `json:"externalRefs,omitempty"`
		Source    string         `json:"sourceInfo,omitempty"`
	}
	spdxChecksum struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"checksumValue"`
	}
	spdxRef struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	}
)

const spdxNone = "NOASSERTION"

// SPDX writes a bill of materials.
func SPDX(w io.Writer, s Subject, items []Item) error {
	d := spdxDocument{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: s.Name,
		Namespace: "https://shakedown.invalid/spdx/" + url.PathEscape(s.Name) + "/" + serial(s, items),
		Creation:  spdxCreation{Created: s.built(), Creators: []string{"Tool: shakedown"}},
		Describes: []string{"SPDXRef-artefact"},
	}
	root := spdxPackage{
		ID: "SPDXRef-artefact", Name: s.Name, Version: s.Version, Download: spdxNone, Concluded: spdxNone, Declared: spdxNone, Copyright: spdxNone,
		Supplier: spdxNone, Purpose: "FIRMWARE",
	}
	if s.Package {
		root.Purpose = "APPLICATION"
	}
	if s.Maker != "" {
		root.Supplier = "Organization: " + s.Maker
	}
	if s.SHA256 != "" {
		root.Checksums = []spdxChecksum{{"SHA256", s.SHA256}}
	}
	d.Packages = []spdxPackage{root}
	d.Relationships = []spdxRelationship{{d.ID, "DESCRIBES", root.ID}}
	for n, i := range items {
		p := spdxItem(n, i)
		d.Packages = append(d.Packages, p)
		d.Relationships = append(d.Relationships, spdxRelationship{root.ID, "CONTAINS", p.ID})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return fmt.Errorf("write SPDX: %w", err)
	}
	return nil
}

func spdxItem(n int, i Item) spdxPackage {
	p := spdxPackage{
		ID: "SPDXRef-" + i.id(n), Name: i.Name, Version: i.Version, Download: spdxNone, Concluded: spdxNone, Declared: spdxNone, Copyright: spdxNone,
		Supplier: spdxNone, Purpose: "LIBRARY", Source: "told by " + string(i.Source),
	}
	if i.Type == 'o' {
		p.Purpose = "OPERATING-SYSTEM"
	}
	if i.Supplier != "" {
		p.Supplier = "Organization: " + i.Supplier
	}
	if i.License != "" {
		p.Licenses = "its package says: " + i.License
	}
	if i.SHA256 != "" {
		p.Checksums = []spdxChecksum{{"SHA256", i.SHA256}}
	}
	if u := i.PURL(); u != "" {
		p.Refs = append(p.Refs, spdxRef{"PACKAGE-MANAGER", "purl", u})
	}
	if c := i.CPE(); c != "" {
		p.Refs = append(p.Refs, spdxRef{"SECURITY", "cpe23Type", c})
	}
	return p
}
