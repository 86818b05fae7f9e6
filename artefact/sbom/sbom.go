// Package sbom writes bills of materials, and reads those that makers give, with what they say of vulnerabilities. Formats: CycloneDX 1.6
// (ECMA-424) and SPDX 2.3 (ISO/IEC 5962) as JSON; of statements on vulnerabilities CycloneDX, OpenVEX and CSAF 2.0.
//
// What is written has no time and no chance of its own: the same artefact gives the same bytes.
package sbom

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/components"
)

// Subject is the artefact that a bill of materials is about.
type Subject struct {
	Name    string
	Version string // empty: not known
	SHA256  string // in hex
	Maker   string // empty: not known
	Package bool   // an app and not a firmware image
	Built   time.Time
}

// Item is one line of it.
type Item struct {
	components.Component
	SHA256 string   // of the file, in hex; empty: not of one file
	Places []string // where it was found
}

// id is a name for an item that is the same in every run.
func (i Item) id(n int) string {
	return fmt.Sprintf("%d-%s-%s", n+1, clean(i.Name), clean(i.Version))
}

// clean leaves of a name what both formats allow in an identifier.
func clean(s string) string {
	b := []byte(s)
	for i, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.') {
			b[i] = '-'
		}
	}
	if len(b) > 100 {
		b = b[:100]
	}
	return string(b)
}

// serial is a UUID made of what the document says, as RFC 9562 has it for own methods (version 8).
func serial(s Subject, items []Item) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q\n", s.Name, s.Version, s.SHA256)
	for _, i := range items {
		fmt.Fprintf(h, "%q %q %q %q\n", i.Name, i.Version, i.Source, i.Distro)
	}
	u := h.Sum(nil)[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	x := hex.EncodeToString(u)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// built is the time that the document bears: that of the newest file in the artefact.
func (s Subject) built() string {
	t := s.Built.UTC()
	if y := t.Year(); y < 1970 || y > 9999 {
		t = time.Unix(0, 0).UTC()
	}
	return t.Format("2006-01-02T15:04:05Z")
}
