package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

// Fixed is the holder of a certificate whose key follows from its name: whatever is built of it is the same each time. It is for what
// Shakedown bundles and for tests; a key that everybody can compute protects nothing.
type Fixed struct {
	Cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// FixedAuthority makes an authority; without by it signs itself. Two of the same name have the same key, whoever certifies them.
func FixedAuthority(by *Fixed, name string, from, to time.Time) (*Fixed, error) {
	tmpl := caTemplate("", span{from, to})
	tmpl.Subject = pkix.Name{Organization: []string{"Reference"}, CommonName: name}
	return newFixed(by, tmpl)
}

// FixedHolder makes a certificate below an authority for one who is no authority; edit may alter it before it is signed,
// also give it another public key, and may be nil.
func FixedHolder(by *Fixed, name string, from, to time.Time, edit func(*x509.Certificate)) (*Fixed, error) {
	tmpl := &x509.Certificate{
		Subject: pkix.Name{Organization: []string{"Reference"}, CommonName: name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if edit != nil {
		edit(tmpl)
	}
	return newFixed(by, tmpl)
}

func newFixed(by *Fixed, tmpl *x509.Certificate) (*Fixed, error) {
	name := tmpl.Subject.CommonName
	seed := sha256.Sum256([]byte("shakedown " + name))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		return nil, fmt.Errorf("make the key of %s: %w", name, err)
	}
	signer, parent := key, tmpl
	if by != nil {
		signer, parent = by.key, by.Cert
	}
	serial := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", name, parent.Subject.CommonName, tmpl.NotAfter.Unix()))
	tmpl.SerialNumber = new(big.Int).SetBytes(serial[:15])
	public := tmpl.PublicKey
	if public == nil {
		public = key.Public()
	}
	der, err := x509.CreateCertificate(nil, tmpl, parent, public, signer) // without chance the signature follows RFC 6979
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("certify %s: %w", name, err)
	}
	return &Fixed{cert, key}, nil
}

// Key is the private key.
func (f *Fixed) Key() *ecdsa.PrivateKey { return f.key }

// PEM is the certificate in PEM.
func (f *Fixed) PEM() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Cert.Raw}))
}
