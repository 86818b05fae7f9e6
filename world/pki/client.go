package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// Client issues a certificate for the device called id, its common name, of 1 to 64 octets. It is good until notAfter, which may
// have passed; it starts a day before now, or before notAfter if that is earlier. Its key is ECDSA P-256.
func (a *Authority) Client(id string, notAfter time.Time) (*tls.Certificate, error) {
	if id == "" || len(id) > maxCN {
		return nil, fmt.Errorf("issue device certificate: id %q must have 1 to %d octets", id, maxCN)
	}
	from := a.now()
	if notAfter.Before(from) {
		from = notAfter
	}
	key, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("issue device certificate for %q: %w", id, err)
	}
	tmpl := &x509.Certificate{
		NotBefore:             from.Add(-day),
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	tmpl.Subject.CommonName = id
	o := &order{tmpl: tmpl, key: key}
	cert, err := o.signed(&a.devices)
	if err != nil {
		return nil, fmt.Errorf("issue device certificate for %q: %w", id, err)
	}
	return cert, nil
}

// ClientPool holds the authority that issues device certificates, for tls.Config.ClientCAs. The pool is the caller's own.
func (a *Authority) ClientPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.devices.cert)
	return pool
}

// ClientsPEM is that authority as a file for a server, in PEM.
func (a *Authority) ClientsPEM() []byte { return certPEM(a.devices.cert.Raw) }

// ClientPEM writes a certificate with what follows it, and its key as PKCS #8, as files for a device. Keys that PKCS #8 cannot hold
// are an error.
func ClientPEM(cert *tls.Certificate) (chain, key []byte, err error) {
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, nil, fmt.Errorf("write device key: %w", err)
	}
	for _, c := range cert.Certificate {
		chain = append(chain, certPEM(c)...)
	}
	return chain, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
