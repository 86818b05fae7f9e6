package product

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Authority signs a certificate for each device of a fleet. All have one key pair, which is made for the run: what tells devices apart is
// the certificate, and making a key for each would cost more than all else that a device does.
type Authority struct {
	pair        tls.Certificate
	key         *ecdsa.PrivateKey
	from, until time.Time
}

// NewAuthority reads a PEM file with the certificate and the key of an authority. What it signs is valid from an hour before now for 90
// days, and no longer than the authority.
func NewAuthority(text []byte, now time.Time) (*Authority, error) {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, fmt.Errorf("%s\nhint: the file has the certificate and the private key of the authority in PEM, one behind the other", strings.TrimPrefix(err.Error(), "tls: "))
	}
	ca := pair.Leaf
	switch {
	case !ca.BasicConstraintsValid || !ca.IsCA || ca.KeyUsage != 0 && ca.KeyUsage&x509.KeyUsageCertSign == 0:
		return nil, errors.New("the first certificate may not sign others\nhint: it needs the basic constraint CA")
	case now.Before(ca.NotBefore) || now.After(ca.NotAfter):
		return nil, fmt.Errorf("the authority is valid from %s to %s", ca.NotBefore.UTC().Format(time.DateOnly), ca.NotAfter.UTC().Format(time.DateOnly))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the fleet: %w", err)
	}
	a := &Authority{pair: pair, key: key, from: now.Add(-time.Hour), until: now.AddDate(0, 0, 90)}
	if a.from.Before(ca.NotBefore) {
		a.from = ca.NotBefore
	}
	if a.until.After(ca.NotAfter) {
		a.until = ca.NotAfter
	}
	return a, nil
}

// Issue signs a certificate for a client with this common name. For the same name it is the same each time, as far as the kind of the
// authority's key allows.
func (a *Authority) Issue(name string) (*tls.Certificate, error) {
	sum := sha256.Sum256([]byte(name))
	sum[0] = sum[0]&0x7f | 0x40 // a positive serial number of 16 bytes
	ca := a.pair.Leaf
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(sum[:16]),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    a.from, NotAfter: a.until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(nil, template, ca, &a.key.PublicKey, a.pair.PrivateKey) // without chance the signature is that of RFC 6979
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %s: %w", name, err)
	}
	out := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}
	if !bytes.Equal(ca.RawIssuer, ca.RawSubject) { // it is not a root, so that a server may not have it
		out.Certificate = append(out.Certificate, a.pair.Certificate...)
	}
	return out, nil
}
