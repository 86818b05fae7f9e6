package judge

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
)

// Use is what a certificate in a file is there for, as far as that can be told from it and from its place.
type Use string

// The uses.
const (
	Example Use = "example" // in documentation or tests, or it says of itself that it is one
	Signing Use = "signing" // of code: its dates are not looked at when the code is used
	Bundled Use = "bundled" // one authority of a store of three or more
	Anchor  Use = "anchor"  // an authority that stands by itself: something here trusts it in particular
	Own     Use = "own"     // no authority: the product says with it who it is, or trusts just it
)

// Certificate is one in a firmware image or app package, with what it is there for.
type Certificate struct {
	*x509.Certificate
	Use    Use
	Places []string // where it lies; copies of it
	Keyed  bool     // its private key lies in the same artefact
}

// Where is its first place, and how many more there are.
func (c Certificate) Where() string {
	if n := len(c.Places) - 1; n > 0 {
		return fmt.Sprintf("%s, and %d more", c.Places[0], n)
	}
	return c.Places[0]
}

// storeOf is what a certificate may be in a store with: a file, or the files of a folder.
func storeOf(n *tree.Node) string {
	if n.File != nil {
		return fmt.Sprintf("%p %s", n.Root(), path.Dir(n.Name))
	}
	return fmt.Sprintf("%p", n)
}

const store = 3 // authorities together are a store

// Certificates are those in an artefact, each once. Of what an endpoint sends, see Endpoints.
func Certificates(f *artefact.Facts) (list []Certificate) {
	together := map[string]map[string]bool{} // by store, fingerprints of authorities
	for _, c := range f.Certificates {
		if trust.Authority(c.Cert) {
			key := storeOf(c.Node)
			if together[key] == nil {
				together[key] = map[string]bool{}
			}
			together[key][string(c.Cert.Raw)] = true
		}
	}
	at := map[string]int{}
	for _, c := range f.Certificates {
		use := useOf(c, len(together[storeOf(c.Node)]))
		i, known := at[string(c.Cert.Raw)]
		if !known {
			i = len(list)
			at[string(c.Cert.Raw)] = i
			keyed := slices.ContainsFunc(f.PrivateKeys, func(k artefact.PrivateKey) bool {
				return k.Key != nil && bytes.Equal(k.Key.SPKI, c.Cert.RawSubjectPublicKeyInfo)
			})
			list = append(list, Certificate{Certificate: c.Cert, Use: use, Keyed: keyed})
		}
		if rank(use) > rank(list[i].Use) { // a copy of an example elsewhere is none, an authority that also stands alone is trusted there
			list[i].Use, list[i].Places = use, append([]string{place(c)}, list[i].Places...)
			continue
		}
		list[i].Places = append(list[i].Places, place(c))
	}
	return list
}

func rank(u Use) int { return slices.Index([]Use{Example, Signing, Bundled, Anchor, Own}, u) }

// place is where a certificate lies. In a text file of one its offset says nothing.
func place(c artefact.Certificate) string {
	if c.Offset == 0 {
		return c.Node.Path()
	}
	return fmt.Sprintf("%s at %#x", c.Node.Path(), c.Offset)
}

func useOf(c artefact.Certificate, together int) Use {
	switch {
	case c.Node.File != nil && slices.ContainsFunc(strings.Split(strings.ToLower(c.Node.Name), "/"), sampleFolder), sampleName(c.Cert):
		return Example
	case signs(c):
		return Signing
	case trust.Authority(c.Cert) && together >= store:
		return Bundled
	case trust.Authority(c.Cert):
		return Anchor
	}
	return Own
}

func sampleFolder(word string) bool {
	switch word {
	case "doc", "docs", "man", "info", "test", "tests", "testdata", "testing", "example", "examples", "sample", "samples", "demo", "demos":
		return true
	}
	return false
}

// sampleName reports whether a certificate or its issuer calls itself an example. Host names do not count: a product may be called Demo.
func sampleName(c *x509.Certificate) bool {
	for _, name := range slices.Concat([]string{c.Subject.CommonName, c.Issuer.CommonName}, c.Subject.Organization, c.Subject.OrganizationalUnit, c.Issuer.Organization) {
		for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '-' || r == '_' || r == ',' || r == '(' || r == ')' }) {
			switch word {
			case "test", "testing", "tests", "example", "sample", "dummy", "demo", "snakeoil", "polarssl", "wolfssl":
				return true
			}
		}
	}
	return false
}

// signs reports whether a certificate is for signatures of code: by its usage, by its place in an app package, or by its name in the
// variables of UEFI.
func signs(c artefact.Certificate) bool {
	if len(c.Cert.ExtKeyUsage) > 0 && !slices.ContainsFunc(c.Cert.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u != x509.ExtKeyUsageCodeSigning && u != x509.ExtKeyUsageTimeStamping
	}) {
		return true
	}
	name := strings.ToUpper(c.Node.Name)
	if strings.HasPrefix(name, "META-INF/") || strings.HasSuffix(name, ".MOBILEPROVISION") || strings.HasSuffix(name, ".KO") {
		return true
	}
	for _, word := range []string{"UEFI", "Secure Boot", "KEK", "Windows Production", "Platform Key", "kernel module", "kernel key"} {
		if strings.Contains(c.Cert.Subject.CommonName, word) {
			return true
		}
	}
	return c.Node.File == nil && c.Node.Format == "zip" // between the files of an app package: its signing block
}

// Roots are all authorities that something in an artefact may trust: more than each of its programs does, but no less.
func Roots(f *artefact.Facts) (roots []*x509.Certificate) {
	var all []*x509.Certificate
	for _, c := range Certificates(f) {
		if c.Use == Bundled || c.Use == Anchor {
			all = append(all, c.Certificate)
		}
	}
	return trust.Authorities(all)
}

// Endpoint is what a server of the product sends.
type Endpoint struct {
	Name string // its address
	Part string
	Sent []*x509.Certificate // in the order in which they came
}

// Endpoints are those among artefacts.
func Endpoints(all []*artefact.Facts) (list []Endpoint) {
	for _, f := range all {
		if f.Role != product.Endpoint {
			continue
		}
		e := Endpoint{Name: f.File, Part: f.Part}
		for _, c := range f.Certificates {
			e.Sent = append(e.Sent, c.Cert)
		}
		if len(e.Sent) > 0 {
			list = append(list, e)
		}
	}
	return list
}

// Used leaves the endpoints that devices of a product rely on: all but those to which links lead from other parts only.
func Used(p *product.Product, list []Endpoint) []Endpoint {
	return slices.DeleteFunc(slices.Clone(list), func(e Endpoint) bool {
		linked := false
		for _, l := range p.Links {
			if l.To != e.Part {
				continue
			}
			linked = true
			if from := p.Part(l.From); from != nil && (from.Role == product.Device || from.Role == product.Gateway) {
				return false
			}
		}
		return linked
	})
}

// Shipped are the files among artefacts.
func Shipped(all []*artefact.Facts) []*artefact.Facts {
	return slices.DeleteFunc(slices.Clone(all), func(f *artefact.Facts) bool { return f.Role == product.Endpoint })
}

// Day is a day as findings have it.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// While is now, or the moment nearest to it at which a certificate is valid: whoever renews it late does not take the roots of clients away.
func While(c *x509.Certificate, now time.Time) time.Time {
	switch {
	case now.Before(c.NotBefore):
		return c.NotBefore
	case now.After(c.NotAfter):
		return c.NotAfter
	}
	return now
}
