package device

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"
)

// minRSA is the shortest RSA key in bits that the device trusts, anywhere in a chain.
const minRSA = 2048

// tlsFeature is the extension by which a certificate demands a stapled status (RFC 7633).
var tlsFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

// verifier decides whether a server is the one that the device is configured for.
type verifier struct {
	cfg     *Config
	roots   []*x509.Certificate
	host    string
	now     func() time.Time
	tickets *ticketMemory // nil but for the defect that insists on resumption
}

// verify checks chain (RFC 5280 section 6), name (RFC 9525), key sizes and stapled status. It is called for resumed sessions too.
func (v *verifier) verify(cs tls.ConnectionState) error {
	if v.cfg.has("tls-no-verify") {
		return nil
	}
	if err := v.limits(cs); err != nil {
		return err
	}
	certs, roots, err := v.candidates(cs.PeerCertificates)
	if err != nil {
		return err
	}
	chain, err := v.chain(certs, roots)
	if err != nil {
		return fmt.Errorf("certificate of %s: %w", v.host, err)
	}
	if err := v.name(certs[0]); err != nil {
		return err
	}
	for _, c := range chain {
		if key, ok := c.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() < minRSA && !v.cfg.has("tls-rsa-1024") {
			return fmt.Errorf("certificate of %s: RSA key of %d bits", v.host, key.N.BitLen())
		}
	}
	if v.cfg.has("tls-no-ocsp") {
		return nil
	}
	return v.status(cs.OCSPResponse, chain)
}

// candidates gives the certificates to judge: those presented and those trusted.
func (v *verifier) candidates(presented []*x509.Certificate) (certs, roots []*x509.Certificate, err error) {
	if len(presented) == 0 {
		return nil, nil, errors.New("server presents no certificate")
	}
	if !v.softens() {
		return presented, v.roots, nil
	}
	if certs, err = v.soften(presented); err != nil {
		return nil, nil, err
	}
	roots, err = v.soften(v.roots)
	return certs, roots, err
}

// chain finds a path from the first of certs to a root.
func (v *verifier) chain(certs, roots []*x509.Certificate) ([]*x509.Certificate, error) {
	opts := x509.VerifyOptions{
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   v.now(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if v.cfg.has("tls-sent-path-only") {
		roots = endOf(certs, roots)
	}
	for _, c := range roots {
		opts.Roots.AddCert(c)
	}
	for _, c := range certs[1:] {
		if v.cfg.has("tls-no-cross-signing") && slices.ContainsFunc(roots, func(r *x509.Certificate) bool { return string(r.RawSubject) == string(c.RawSubject) }) {
			continue // a root of this name is trusted already
		}
		opts.Intermediates.AddCert(c)
	}
	if v.cfg.has("tls-no-eku") {
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	chains, err := certs[0].Verify(opts)
	if err == nil {
		return chains[0], nil
	}
	if v.accepts(certs, roots, opts) {
		return certs[:1], nil
	}
	return nil, err
}

// name compares the host with the subject alternative names; the common name does not count.
func (v *verifier) name(leaf *x509.Certificate) error {
	err := leaf.VerifyHostname(v.host)
	if err == nil || v.acceptsName(leaf) {
		return nil
	}
	return err
}

// status looks at the stapled OCSP response. Without one a certificate passes unless it demands one.
func (v *verifier) status(staple []byte, chain []*x509.Certificate) error {
	if len(staple) == 0 {
		demands := slices.ContainsFunc(chain[0].Extensions, func(e pkix.Extension) bool { return e.Id.Equal(tlsFeature) })
		if demands {
			return fmt.Errorf("certificate of %s demands a stapled status and has none", v.host)
		}
		return nil
	}
	if len(chain) < 2 {
		return nil
	}
	answer, err := ocsp.ParseResponseForCert(staple, chain[0], chain[1])
	if err != nil {
		return fmt.Errorf("stapled status of %s: %w", v.host, err)
	}
	if answer.Status == ocsp.Revoked {
		return fmt.Errorf("certificate of %s is revoked", v.host)
	}
	return nil
}
