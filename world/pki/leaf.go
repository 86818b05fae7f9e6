package pki

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
	"time"
)

// edited issues the ordinary chain around a leaf that edit has altered.
func edited(edit func(*order) error) func(*Authority, *order) (*tls.Certificate, error) {
	return func(a *Authority, o *order) (*tls.Certificate, error) {
		if err := edit(o); err != nil {
			return nil, err
		}
		return o.signed(&a.int1, a.int1)
	}
}

func asIs(*order) error { return nil }

func expired1h(o *order) error { return expire(o, time.Hour) }
func expired1y(o *order) error { return expire(o, year) }

func expire(o *order, ago time.Duration) error {
	o.tmpl.NotAfter = o.now.Add(-ago)
	o.tmpl.NotBefore = o.tmpl.NotAfter.Add(-90 * day)
	return nil
}

func notYetValid(o *order) error {
	o.tmpl.NotBefore = o.now.Add(day)
	return nil
}

func wrongHost(o *order) error {
	o.rename(o.other())
	return nil
}

func otherRealCert(o *order) error {
	o.rename("www.another-owner.test")
	o.tmpl.Subject.Organization = []string{"Another Owner"}
	return nil
}

func cnMatchSANMismatch(o *order) error {
	if len(o.name) > maxCN {
		return noCase("a common name has at most %d octets", maxCN)
	}
	o.setSAN(o.other())
	return nil
}

func cnOnly(o *order) error {
	if len(o.name) > maxCN {
		return noCase("a common name has at most %d octets", maxCN)
	}
	o.tmpl.DNSNames, o.tmpl.IPAddresses = nil, nil
	return nil
}

func wildcardBare(o *order) error {
	if len(o.labels()) < 2 {
		return noCase(`"*" is wrong only for a DNS name of two labels or more`)
	}
	o.rename("*")
	return nil
}

func wildcardTLD(o *order) error {
	labels := o.labels()
	if len(labels) < 3 {
		return noCase("a wildcard for the last label is wrong only for a DNS name of three labels or more")
	}
	o.rename("*." + labels[len(labels)-1])
	return nil
}

func wildcardPartial(o *order) error {
	labels := o.labels()
	if len(labels) < 2 {
		return noCase("a partial wildcard needs a DNS name of two labels or more")
	}
	o.rename(o.name[:1] + "*." + strings.Join(labels[1:], "."))
	return nil
}

func suffixName(o *order) error {
	o.rename(o.name + ".evil.test")
	return nil
}

// nulInSAN keeps the common name right: a client that falls back to it because it could not use the SAN is wrong as well.
func nulInSAN(o *order) error {
	o.setSAN(o.name + "\x00.evil.test")
	return nil
}

func clientAuthOnly(o *order) error {
	o.tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return nil
}

// Extensions that no client knows, below the arc for examples (2.999).
var (
	oidUnknown = asn1.ObjectIdentifier{2, 999, 1}
	oidPadding = asn1.ObjectIdentifier{2, 999, 2}
)

func criticalExtension(o *order) error {
	o.tmpl.ExtraExtensions = []pkix.Extension{{Id: oidUnknown, Critical: true, Value: asn1.NullBytes}}
	return nil
}

// selfSigned does not claim to be an authority: that would be a second reason to refuse it.
func selfSigned(_ *Authority, o *order) (*tls.Certificate, error) {
	return o.signed(&issuer{o.tmpl, o.key})
}

func replacedKey(a *Authority, o *order) (*tls.Certificate, error) {
	cert, err := o.signed(&a.int1, a.int1)
	if err != nil {
		return nil, err
	}
	cert.PrivateKey, err = newKey()
	return cert, err
}

// leafAsCA has an attacker use a certificate that was rightly issued for the attacker's own host.
func leafAsCA(a *Authority, o *order) (*tls.Certificate, error) {
	attacker, err := newOrder("www.evil.test", o.now)
	if err != nil {
		return nil, err
	}
	attacker.tmpl.SubjectKeyId = []byte("www.evil.test") // what it signs then has an authority key identifier, as it should
	cert, err := a.int1.sign(attacker.tmpl, attacker.key.Public())
	if err != nil {
		return nil, fmt.Errorf("the leaf that signs: %w", err)
	}
	fake := issuer{cert, attacker.key}
	return o.signed(&fake, fake, a.int1)
}
