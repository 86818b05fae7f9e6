package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// issuer is an authority: its certificate and its key.
type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// span is a validity period.
type span struct{ from, to time.Time }

func caTemplate(name string, s span) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Shakedown stand-in"}, CommonName: "Shakedown " + name},
		NotBefore:             s.from,
		NotAfter:              s.to,
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
}

// newCA makes an authority with a new key; without by it signs itself.
func newCA(by *issuer, tmpl *x509.Certificate) (issuer, error) {
	key, err := newKey()
	if err != nil {
		return issuer{}, err
	}
	return certifyCA(by, tmpl, key)
}

func certifyCA(by *issuer, tmpl *x509.Certificate, key crypto.Signer) (issuer, error) {
	if by == nil {
		by = &issuer{tmpl, key}
	}
	cert, err := by.sign(tmpl, key.Public())
	return issuer{cert, key}, err
}

// sign certifies pub. It gives the template a serial number if it has none.
func (i *issuer) sign(tmpl *x509.Certificate, pub crypto.PublicKey) (*x509.Certificate, error) {
	if tmpl.SerialNumber == nil {
		serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // at most 20 octets, RFC 5280 4.1.2.2
		if err != nil {
			return nil, fmt.Errorf("draw serial number: %w", err)
		}
		tmpl.SerialNumber = serial.Add(serial, big.NewInt(1)) // never zero
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, i.cert, pub, i.key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate of %q: %w", tmpl.Subject.CommonName, err)
	}
	return parse(der)
}

func parse(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back the certificate just signed: %w", err)
	}
	return cert, nil
}

func newKey() (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate P-256 key: %w", err)
	}
	return key, nil
}
