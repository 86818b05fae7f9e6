package product_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/product"
)

var now = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// authority makes an authority as a PEM file, with changes.
func authority(t *testing.T, key crypto.Signer, change func(*x509.Certificate)) (text []byte, cert *x509.Certificate) {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: now.Add(-time.Minute), NotAfter: now.AddDate(0, 0, 5),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...), cert
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAuthority(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.Signer{ecKey(t), rsaKey} {
		text, root := authority(t, key, func(*x509.Certificate) {})
		a, err := product.NewAuthority(text, now)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(root)
		seen := map[string]bool{}
		for n := range 3 {
			name := fmt.Sprintf("meter-%d", n)
			pair, err := a.Issue(name)
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(pair.Certificate[0])
			if err != nil {
				t.Fatal(err)
			}
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if leaf.Subject.CommonName != name || leaf.NotBefore.Before(root.NotBefore) || leaf.NotAfter.After(root.NotAfter) || len(pair.Certificate) != 1 {
				t.Errorf("%s: %v, from %v to %v", name, leaf.Subject, leaf.NotBefore, leaf.NotAfter)
			}
			again, err := a.Issue(name)
			if err != nil || !bytes.Equal(again.Certificate[0], pair.Certificate[0]) {
				t.Errorf("%s: another certificate the second time (%v)", name, err)
			}
			seen[leaf.SerialNumber.String()] = true
		}
		if len(seen) != 3 {
			t.Errorf("serial numbers %v", seen)
		}
	}
}

func TestAuthorityErrors(t *testing.T) {
	key := ecKey(t)
	other, _ := authority(t, ecKey(t), func(*x509.Certificate) {})
	own, _ := authority(t, key, func(*x509.Certificate) {})
	_, otherKey := pem.Decode(other)
	certOnly, _ := pem.Decode(own)
	for want, text := range map[string][]byte{
		"failed to find any PEM data":                    []byte("nothing"),
		"hint: the file has the certificate":             pem.EncodeToMemory(certOnly),
		"private key does not match":                     append(pem.EncodeToMemory(certOnly), otherKey...),
		"may not sign others":                            first(authority(t, key, func(c *x509.Certificate) { c.IsCA = false })),
		"valid from 2026-11-27 to 2026-12-01":            first(authority(t, key, func(c *x509.Certificate) { c.NotBefore = now.AddDate(0, 0, 1) })),
		"valid from 2026-11-26 to 2026-11-26":            first(authority(t, key, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) })),
		"the first certificate may not sign others\nhin": first(authority(t, key, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })),
	} {
		if _, err := product.NewAuthority(text, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func first(text []byte, _ *x509.Certificate) []byte { return text }

func TestIdentities(t *testing.T) {
	ca, _ := authority(t, ecKey(t), func(*x509.Certificate) {})
	there := map[string][]byte{"d.csv": []byte("serial,site\nA1,x\nA2,y\n"), "ca.pem": ca}
	opened := map[string]int{}
	open := func(name string) (io.ReadCloser, error) {
		opened[name]++
		text, ok := there[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	class := product.Class{Name: "meter", Identity: product.Identity{CSV: "d.csv", CA: "ca.pem"}, Provision: []product.Call{{Take: map[string]string{"user": "u", "pass": "p"}}}}
	who, err := class.Identities(2, now, open)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"serial", "site", "pass", "user"}, who.Names()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A2", "y", "", ""}, who.Append(nil, 1)); diff != "" {
		t.Error(diff)
	}
	if pair, err := who.Certificate("A2", "", ""); err != nil || pair == nil {
		t.Errorf("certificate: %v", err)
	}

	class.Identity.CA = ""
	if _, err := class.Identities(3, now, open); err == nil || !strings.Contains(err.Error(), "class meter: d.csv has 2 lines of values, and there are 3 devices") {
		t.Errorf("three devices: %v", err)
	}
	if who, err = class.Identities(1, now, open); err != nil {
		t.Fatal(err)
	}
	if pair, err := who.Certificate("A1", "", ""); pair != nil || err != nil {
		t.Errorf("without files: %v, %v", pair, err)
	}
	for range 3 {
		if pair, err := who.Certificate("A1", "ca.pem", "ca.pem"); pair == nil || err != nil {
			t.Errorf("of files: %v", err)
		}
	}
	if opened["ca.pem"] != 3 {
		t.Errorf("ca.pem was opened %d times", opened["ca.pem"])
	}
	if _, err := who.Certificate("A1", "none.pem", "ca.pem"); err == nil || !strings.Contains(err.Error(), "certificate of A1: open none.pem") {
		t.Errorf("without the file: %v", err)
	}
}
