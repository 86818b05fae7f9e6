package sbom

import (
	"fmt"
	"io"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// CycloneDX writes a bill of materials.
func CycloneDX(w io.Writer, s Subject, items []Item) error {
	kind := cdx.ComponentTypeFirmware
	if s.Package {
		kind = cdx.ComponentTypeApplication
	}
	root := cdx.Component{BOMRef: "artefact", Type: kind, Name: s.Name, Version: s.Version}
	if s.SHA256 != "" {
		root.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: s.SHA256}}
	}
	if s.Maker != "" {
		root.Supplier = &cdx.OrganizationalEntity{Name: s.Maker}
	}
	bom := cdx.NewBOM()
	bom.SpecVersion, bom.JSONSchema = cdx.SpecVersion1_6, "http://cyclonedx.org/schema/bom-1.6.schema.json"
	bom.SerialNumber = "urn:uuid:" + serial(s, items)
	bom.Metadata = &cdx.Metadata{
		Timestamp: s.built(), Component: &root,
		Tools: &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "shakedown"}}},
	}
	all, refs := []cdx.Component{}, []string{}
	for n, i := range items {
		all = append(all, cycloneComponent(n, i))
		refs = append(refs, i.id(n))
	}
	bom.Components = &all
	bom.Dependencies = &[]cdx.Dependency{{Ref: "artefact", Dependencies: &refs}}
	if err := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(bom); err != nil {
		return fmt.Errorf("write CycloneDX: %w", err)
	}
	return nil
}

func cycloneComponent(n int, i Item) cdx.Component {
	c := cdx.Component{BOMRef: i.id(n), Type: cdx.ComponentTypeLibrary, Name: i.Name, Version: i.Version, PackageURL: i.PURL(), CPE: i.CPE()}
	if i.Type == 'o' {
		c.Type = cdx.ComponentTypeOS
	}
	if i.Supplier != "" {
		c.Supplier = &cdx.OrganizationalEntity{Name: i.Supplier}
	}
	if i.License != "" {
		c.Licenses = &cdx.Licenses{{License: &cdx.License{Name: i.License}}}
	}
	if i.SHA256 != "" {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: i.SHA256}}
	}
	properties := []cdx.Property{{Name: "shakedown:told-by", Value: string(i.Source)}}
	for _, p := range i.Places {
		properties = append(properties, cdx.Property{Name: "shakedown:place", Value: strings.ToValidUTF8(p, "?")})
	}
	c.Properties = &properties
	return c
}
