package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// ErrNoCase says that a case cannot exist for the name asked for, such as a wildcard for an IP address. Errors of
// [Authority.Server] wrap it together with the reason.
var ErrNoCase = errors.New("no such case for this name")

// Authority issues the certificates of one testbed. It is safe for concurrent use if its clock is.
type Authority struct {
	now func() time.Time

	r0, r1, r2       issuer // the roots the device trusts; r0 has expired
	int0, int1, int2 issuer // the intermediate below each of them
	r0cross          issuer // the key and subject of r0, certified by r1
	r1cross          issuer // the key and subject of r1, certified by r0
	devices          issuer // issues device certificates; the device need not know it
}

// New makes the roots and intermediates, relative to now, which is also read at each issue. Its errors are those of key generation and signing.
func New(now func() time.Time) (*Authority, error) {
	t := now()
	live := span{t.Add(-2 * year), t.Add(15 * year)} // past 2038, when clocks of 32 bits end
	dead := span{t.Add(-10 * year), t.Add(-30 * day)}
	a := &Authority{now: now}
	var err error
	issue := func(to *issuer, by *issuer, name string, s span) {
		if err == nil {
			*to, err = newCA(by, caTemplate(name, s))
		}
	}
	issue(&a.r0, nil, "Root R0 (expired)", dead)
	issue(&a.r1, nil, "Root R1", live)
	issue(&a.r2, nil, "Root R2", live)
	issue(&a.int0, &a.r0, "Intermediate of R0", live)
	issue(&a.int1, &a.r1, "Intermediate of R1", live)
	issue(&a.int2, &a.r2, "Intermediate of R2", live)
	issue(&a.devices, nil, "Devices", live)
	if err == nil {
		a.r1cross, err = certifyCA(&a.r0, caTemplate("Root R1", live), a.r1.key)
	}
	if err == nil {
		a.r0cross, err = certifyCA(&a.r1, caTemplate("Root R0 (expired)", live), a.r0.key)
	}
	if err != nil {
		return nil, fmt.Errorf("make certificate authorities: %w", err)
	}
	return a, nil
}

// RootsPEM is the CA file of the device: R1, R2 and the expired R0, in PEM.
func (a *Authority) RootsPEM() []byte {
	var b bytes.Buffer
	for _, root := range []issuer{a.r1, a.r2, a.r0} {
		b.Write(certPEM(root.cert.Raw))
	}
	return b.Bytes()
}

// Server issues what a server called name presents in case c. The name is a DNS name, of one label or more, or an IP address;
// the certificate then carries an IP SAN. The private key is in the result, except that [ReplacedKey] holds another one. Leaf is filled.
// The error wraps [ErrNoCase] where c cannot exist for this name; a name that is neither, or an unknown case, is an error too.
func (a *Authority) Server(c Case, name string) (*tls.Certificate, error) {
	return a.ServerAt(c, name, a.now())
}

// ServerAt is Server at another time than now.
func (a *Authority) ServerAt(c Case, name string, now time.Time) (*tls.Certificate, error) {
	k := c.kind()
	if k == nil {
		return nil, fmt.Errorf("issue server certificate: unknown case %q", string(c))
	}
	o, err := newOrder(name, now)
	if err == nil {
		var cert *tls.Certificate
		if cert, err = k.issue(a, o); err == nil {
			return cert, nil
		}
	}
	return nil, fmt.Errorf("issue server certificate, case %s, name %q: %w", c, name, err)
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// bundle is what a server or a device holds: its certificate, those sent after it, and its key.
func bundle(o *order, leaf *x509.Certificate, rest ...issuer) *tls.Certificate {
	c := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: o.key, Leaf: leaf}
	for _, i := range rest {
		c.Certificate = append(c.Certificate, i.cert.Raw)
	}
	return c
}
