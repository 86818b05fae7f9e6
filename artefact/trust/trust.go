// Package trust says which clients reach a root that they trust from the certificates that a server sends, and until when. Clients differ:
// some follow only the order that was sent, some take the first issuer that they find, some try every way; see Client. It is pure: time
// comes from the caller.
package trust

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Self reports whether a certificate is signed by its own key.
func Self(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// Authority reports whether a certificate may sign others: by its basic constraints, or, before these existed, because it signed itself.
func Authority(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA || c.Version < 3 && Self(c)
}

// Authorities are those of a list that may sign others, each once.
func Authorities(all []*x509.Certificate) (cas []*x509.Certificate) {
	for _, c := range all {
		if Authority(c) && !slices.ContainsFunc(cas, c.Equal) {
			cas = append(cas, c)
		}
	}
	return cas
}

// Policies of the CA/Browser Forum, one of which is in every publicly trusted server certificate (Baseline Requirements 7.1.2.7.9).
var policies = []asn1.ObjectIdentifier{
	{2, 23, 140, 1, 2, 1}, // domain validated
	{2, 23, 140, 1, 2, 2}, // organization validated
	{2, 23, 140, 1, 2, 3}, // individual validated
	{2, 23, 140, 1, 1},    // extended validation
}

// Public reports whether a server certificate says that it was issued by the rules of public authorities.
func Public(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.PolicyIdentifiers, func(id asn1.ObjectIdentifier) bool {
		return slices.ContainsFunc(policies, id.Equal)
	})
}

// Pin is the SHA-256 of the public key of a certificate, as pins have it (RFC 7469 section 2.4).
func Pin(c *x509.Certificate) [32]byte { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// Fingerprint is the SHA-256 of a certificate in hex.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Name is what to call a certificate in a sentence.
func Name(c *x509.Certificate) string {
	for _, name := range append([]string{c.Subject.CommonName}, append(c.DNSNames, append(c.Subject.OrganizationalUnit, c.Subject.Organization...)...)...) {
		if name = strings.TrimSpace(name); name != "" {
			return fmt.Sprintf("%q", name)
		}
	}
	for _, ip := range c.IPAddresses {
		return ip.String()
	}
	return fmt.Sprintf("the certificate with serial number %x", c.SerialNumber)
}

// sameAuthority reports whether two certificates are of one name and one key, such as a root and the same root as another one certified it.
func sameAuthority(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubject, b.RawSubject) && bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo)
}

// Issued reports whether ca is the issuer of c.
func Issued(ca, c *x509.Certificate) bool {
	return names(ca, c) && Authority(ca) && ca.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// Top is the last certificate to which a chain leads from its first on, in whatever order it was sent; nil: it is empty.
func Top(sent []*x509.Certificate) *x509.Certificate {
	if len(sent) == 0 {
		return nil
	}
	return top(sent)
}
