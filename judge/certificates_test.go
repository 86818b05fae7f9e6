package judge

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

func on(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

func made(t *testing.T) func(*pki.Fixed, error) *x509.Certificate {
	return func(f *pki.Fixed, err error) *x509.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return f.Cert
	}
}

func TestUse(t *testing.T) {
	cert := made(t)
	root := func(name string) *x509.Certificate {
		return cert(pki.FixedAuthority(nil, name, on(2020), on(2040)))
	}
	by, err := pki.FixedAuthority(nil, "Root A", on(2020), on(2040))
	if err != nil {
		t.Fatal(err)
	}
	holder := func(name string, edit func(*x509.Certificate)) *x509.Certificate {
		return cert(pki.FixedHolder(by, name, on(2020), on(2030), edit))
	}
	leaf := holder("device 7", nil)
	signing := holder("release", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })
	fs := &tree.Node{Name: "rootfs", Format: "squashfs"}
	file := func(name string) *tree.Node { return &tree.Node{Name: name, File: &tree.File{}, Parent: fs} }
	app := &tree.Node{Name: "app", Offset: 0x10000}
	in := func(n *tree.Node, offset int64, c *x509.Certificate) artefact.Certificate {
		return artefact.Certificate{Cert: c, Node: n, Offset: offset}
	}
	store := file("etc/ssl/certs/ca.pem")
	f := &artefact.Facts{Role: product.Firmware}
	f.Certificates = []artefact.Certificate{
		in(store, 0, root("Root A")), in(store, 1000, root("Root B")), in(file("etc/ssl/certs/c.pem"), 0, root("Root C")),
		in(file("etc/broker/ca.pem"), 0, root("Root D")), in(app, 500, root("Root E")), in(app, 900, leaf), in(file("etc/device.pem"), 0, leaf),
		in(file("usr/share/doc/tls/server.pem"), 0, holder("server", nil)), in(file("etc/x.pem"), 0, holder("My Test CA", nil)),
		in(file("etc/y.pem"), 0, holder("test.maker.example", nil)), in(file("etc/release.pem"), 0, signing),
		in(file("META-INF/CERT.RSA"), 0, holder("app", nil)), in(file("opt/roots/d.pem"), 0, root("Root D")),
	}
	f.PrivateKeys = []artefact.PrivateKey{{Private: &keys.Private{Key: &keys.Key{SPKI: leaf.RawSubjectPublicKeyInfo}}, Node: app}}
	want := map[string]Use{
		"Root A": Bundled, "Root B": Bundled, "Root C": Bundled, "Root D": Anchor, "Root E": Anchor, "device 7": Own, "server": Example,
		"My Test CA": Example, "test.maker.example": Own, "release": Signing, "app": Signing,
	}
	list := Certificates(f)
	if len(list) != len(want) {
		t.Errorf("%d certificates, want %d", len(list), len(want))
	}
	for _, c := range list {
		name := c.Subject.CommonName
		if c.Use != want[name] {
			t.Errorf("%s is %s, want %s", name, c.Use, want[name])
		}
		if c.Keyed != (name == "device 7") {
			t.Errorf("%s has a key: %t", name, c.Keyed)
		}
	}
	if i := slices.IndexFunc(list, func(c Certificate) bool { return c.Equal(leaf) }); i < 0 || list[i].Where() != "app at 0x384, and 1 more" {
		t.Errorf("it lies in %q", list[i].Where())
	}
	if roots := Roots(f); len(roots) != 5 {
		t.Errorf("%d roots, want 5", len(roots))
	}
}

func TestEndpointsThatDevicesUse(t *testing.T) {
	leaf := made(t)(pki.FixedAuthority(nil, "x", on(2020), on(2040)))
	sends := func(part string) *artefact.Facts {
		f := &artefact.Facts{Role: product.Endpoint, Part: part, File: "tls://" + part}
		f.Certificates = []artefact.Certificate{{Cert: leaf}}
		return f
	}
	all := []*artefact.Facts{{Role: product.Firmware, File: "image"}, sends("free"), sends("of-app"), sends("of-both"), {Role: product.Endpoint, Part: "empty"}}
	p := &product.Product{
		Parts: []product.Part{{Name: "lamp", Role: product.Device}, {Name: "app", Role: product.App}},
		Links: []product.Link{{From: "app", To: "of-app"}, {From: "app", To: "of-both"}, {From: "lamp", To: "of-both"}},
	}
	endpoints := Endpoints(all)
	if len(endpoints) != 3 || len(Shipped(all)) != 1 {
		t.Fatalf("%d endpoints, want 3", len(endpoints))
	}
	used := Used(p, endpoints)
	if len(used) != 2 || used[0].Part != "free" || used[1].Part != "of-both" {
		t.Errorf("devices use %+v", used)
	}
}

func TestWhile(t *testing.T) {
	c := made(t)(pki.FixedAuthority(nil, "x", on(2020), on(2030)))
	for now, want := range map[int]int{2019: 2020, 2025: 2025, 2031: 2030} {
		if got := While(c, on(now)); !got.Equal(on(want)) {
			t.Errorf("in %d: %s", now, got)
		}
	}
}
