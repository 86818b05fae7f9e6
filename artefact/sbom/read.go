package sbom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Document is a bill of materials as somebody else wrote it.
type Document struct {
	Format  string // "CycloneDX 1.5"
	Author  bool   // who wrote it is told: a person, an organisation or a tool
	Time    bool   // when it was written is told
	Subject string // what it is about; empty: not told
	Related bool   // at least one relation between its parts is told
	Items   []Declared
}

// Declared is a component in a bill of materials.
type Declared struct {
	Name, Version, Supplier string
	PURL, CPE               string
	Hashed                  bool
	Top                     bool // it is not nested in another
}

// Largest is how many bytes of a document are read.
const Largest = 64 << 20

const (
	mostItems = 200_000
	deepest   = 32
)

// ErrFormat says that a document is of no format that is known.
var ErrFormat = errors.New("neither CycloneDX nor SPDX in JSON")

// Read reads a bill of materials.
func Read(data []byte) (*Document, error) {
	if len(data) > Largest {
		return nil, fmt.Errorf("it is larger than %d bytes", Largest)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var head struct {
		Format string `json:"bomFormat"`
		Spec   string `json:"specVersion"`
		SPDX   string `json:"spdxVersion"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case head.Format == "CycloneDX":
		return readCycloneDX(data, head.Spec)
	case strings.HasPrefix(head.SPDX, "SPDX-2."):
		return readSPDX(data, head.SPDX)
	}
	return nil, ErrFormat
}

// cycloneItem is a component of any version of CycloneDX.
type cycloneItem struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	PURL      string `json:"purl"`
	CPE       string `json:"cpe"`
	Publisher string `json:"publisher"`
	Supplier  *struct {
		Name string `json:"name"`
	} `json:"supplier"`
	Hashes     []json.RawMessage `json:"hashes"`
	Components []cycloneItem     `json:"components"`
}

func readCycloneDX(data []byte, spec string) (*Document, error) {
	var b struct {
		Metadata struct {
			Timestamp string          `json:"timestamp"`
			Tools     json.RawMessage `json:"tools"`
			Authors   json.RawMessage `json:"authors"`
			Maker     json.RawMessage `json:"manufacture"`
			Maker6    json.RawMessage `json:"manufacturer"`
			Supplier  json.RawMessage `json:"supplier"`
			Component *cycloneItem    `json:"component"`
		} `json:"metadata"`
		Components   []cycloneItem `json:"components"`
		Dependencies []struct {
			On []string `json:"dependsOn"`
		} `json:"dependencies"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("read CycloneDX: %w", err)
	}
	m := b.Metadata
	d := &Document{Format: strings.TrimSpace("CycloneDX " + spec), Time: m.Timestamp != ""}
	for _, who := range []json.RawMessage{m.Tools, m.Authors, m.Maker, m.Maker6, m.Supplier} {
		d.Author = d.Author || len(who) > 4 // more than null, [] or {}
	}
	if m.Component != nil {
		d.Subject = m.Component.Name
	}
	for _, on := range b.Dependencies {
		d.Related = d.Related || len(on.On) > 0
	}
	d.nested(b.Components, 0)
	return d, nil
}

func (d *Document) nested(list []cycloneItem, depth int) {
	for _, c := range list {
		if len(d.Items) >= mostItems || depth > deepest {
			return
		}
		i := Declared{Name: c.Name, Version: c.Version, PURL: c.PURL, CPE: c.CPE, Supplier: c.Publisher, Hashed: len(c.Hashes) > 0, Top: depth == 0}
		if c.Supplier != nil && c.Supplier.Name != "" {
			i.Supplier = c.Supplier.Name
		}
		d.Items = append(d.Items, i)
		d.Related = d.Related || len(c.Components) > 0
		d.nested(c.Components, depth+1)
	}
}

func readSPDX(data []byte, version string) (*Document, error) {
	var b struct {
		spdxDocument
		Describes []string `json:"documentDescribes"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("read SPDX: %w", err)
	}
	d := &Document{Format: "SPDX " + strings.TrimPrefix(version, "SPDX-"), Time: b.Creation.Created != "", Author: len(b.Creation.Creators) > 0}
	subjects := map[string]bool{}
	for _, id := range b.Describes {
		subjects[id] = true
	}
	for _, r := range b.Relationships {
		switch {
		case r.Type == "DESCRIBES" && r.From == "SPDXRef-DOCUMENT":
			subjects[r.To] = true
		case r.Type == "DESCRIBED_BY" && r.To == "SPDXRef-DOCUMENT":
			subjects[r.From] = true
		default:
			d.Related = true
		}
	}
	for _, p := range b.Packages {
		if len(d.Items) >= mostItems {
			break
		}
		if subjects[p.ID] {
			d.Subject = p.Name
			if len(b.Packages) > 1 {
				continue
			}
		}
		i := Declared{Name: p.Name, Version: p.Version, Hashed: len(p.Checksums) > 0, Top: true}
		if p.Supplier != spdxNone {
			i.Supplier = p.Supplier
		}
		for _, r := range p.Refs {
			switch {
			case r.Type == "purl":
				i.PURL = r.Locator
			case strings.HasPrefix(r.Type, "cpe"):
				i.CPE = r.Locator
			}
		}
		d.Items = append(d.Items, i)
	}
	return d, nil
}
