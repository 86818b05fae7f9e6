package trust

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Client is a kind of client, by the way in which it builds a path.
type Client string

// The kinds, those that fail first before the others.
const (
	// SentOrder takes the certificates in the order in which they were sent, all of them (RFC 5246 section 7.4.2), and needs a root for
	// the last: small TLS libraries that load each as the issuer of the one before.
	SentOrder Client = "sent-order"
	// FirstMatch takes the first issuer that fits by its name and key identifier, what was sent before what it trusts, and never goes
	// back: OpenSSL before 1.1.0.
	FirstMatch Client = "first-match"
	// Full tries every way that leads to a root: OpenSSL since 1.1.0, browsers, Go.
	Full Client = "full"
)

// Clients are all kinds.
var Clients = []Client{SentOrder, FirstMatch, Full}

// Text says in plain words who they are, fit to follow "clients".
func (c Client) Text() string {
	switch c {
	case SentOrder:
		return "that follow only the order sent"
	case FirstMatch:
		return "that take the first issuer they find"
	}
	return "that try every path"
}

// Problem is why a client has no path.
type Problem struct {
	Cert *x509.Certificate // at which it stops; nil: none in particular
	Text string

	Expired bool // Cert has ended
	Lost    bool // the issuer of Cert is neither sent nor trusted
}

// Error is the text.
func (p *Problem) Error() string { return p.Text }

// errNothing is the problem of a server that sends no certificate.
var errNothing = errors.New("no certificate is sent")

// Paths are the ways from the server's certificate to a root that the client finds at a time: one, or several of a Full client. The error
// is a *Problem where a certificate is to blame.
func (c Client) Paths(sent, roots []*x509.Certificate, at time.Time) ([][]*x509.Certificate, error) {
	if len(sent) == 0 {
		return nil, errNothing
	}
	if c == Full {
		return full(sent, roots, at)
	}
	path, err := c.follow(sent, roots)
	if err != nil {
		return nil, err
	}
	for _, cert := range path {
		if err := valid(cert, at); err != nil {
			return nil, err
		}
	}
	return [][]*x509.Certificate{path}, nil
}

// follow builds the one path of a client that never goes back. It does not look at the time.
func (c Client) follow(sent, roots []*x509.Certificate) ([]*x509.Certificate, error) {
	path := []*x509.Certificate{sent[0]}
	rest := slices.Clone(sent[1:])
	for {
		last := path[len(path)-1]
		var next *x509.Certificate
		fits := func(c *x509.Certificate) bool { return names(c, last) }
		switch {
		case slices.ContainsFunc(roots, last.Equal) && (c != SentOrder || len(rest) == 0):
			return path, nil
		case c == SentOrder && len(rest) > 0:
			if next, rest = rest[0], rest[1:]; !fits(next) {
				return nil, &Problem{Cert: next, Text: fmt.Sprintf("%s is sent behind %s and did not issue it", Name(next), Name(last))}
			}
		case Self(last):
			return nil, untrusted(last)
		default:
			if i := slices.IndexFunc(rest, fits); i >= 0 {
				next = rest[i]
				rest = slices.Delete(rest, i, i+1)
			} else if i := slices.IndexFunc(roots, fits); i >= 0 {
				next = roots[i]
			} else {
				return nil, lost(last)
			}
		}
		if !Authority(next) {
			return nil, &Problem{Cert: next, Text: Name(next) + " may not issue certificates"}
		}
		if next.CheckSignature(last.SignatureAlgorithm, last.RawTBSCertificate, last.Signature) != nil {
			return nil, &Problem{Cert: next, Text: fmt.Sprintf("%s has the name of the issuer of %s and did not sign it", Name(next), Name(last))}
		}
		path = append(path, next)
	}
}

// names reports whether ca looks like the issuer of c.
func names(ca, c *x509.Certificate) bool {
	if !bytes.Equal(ca.RawSubject, c.RawIssuer) {
		return false
	}
	return len(ca.SubjectKeyId) == 0 || len(c.AuthorityKeyId) == 0 || bytes.Equal(ca.SubjectKeyId, c.AuthorityKeyId)
}

func lost(c *x509.Certificate) *Problem {
	issuer := c.Issuer.CommonName
	if issuer == "" {
		issuer = c.Issuer.String()
	}
	return &Problem{Cert: c, Lost: true, Text: fmt.Sprintf("the issuer of %s, %q, is neither sent nor trusted", Name(c), issuer)}
}

func untrusted(c *x509.Certificate) *Problem {
	return &Problem{Cert: c, Lost: true, Text: fmt.Sprintf("%s signed itself and is not trusted", Name(c))}
}

func valid(c *x509.Certificate, at time.Time) error {
	const day = "2006-01-02"
	switch {
	case at.After(c.NotAfter):
		return &Problem{Cert: c, Expired: true, Text: fmt.Sprintf("%s ended on %s", Name(c), c.NotAfter.Format(day))}
	case at.Before(c.NotBefore):
		return &Problem{Cert: c, Text: fmt.Sprintf("%s begins on %s", Name(c), c.NotBefore.Format(day))}
	}
	return nil
}

// full has package x509 look for all ways.
func full(sent, roots []*x509.Certificate, at time.Time) ([][]*x509.Certificate, error) {
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range roots {
		o.Roots.AddCert(c)
	}
	for _, c := range sent[1:] {
		o.Intermediates.AddCert(c)
	}
	paths, err := sent[0].Verify(o)
	if err == nil {
		return paths, nil
	}
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		if c := top(sent); c != nil && !Self(c) {
			p := lost(c)
			return nil, expiredAbove(p, c, roots, at)
		} else if c != nil {
			return nil, untrusted(c)
		}
	}
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
		if p := valid(invalid.Cert, at); p != nil {
			return nil, p
		}
	}
	return nil, &Problem{Text: err.Error()}
}

// expiredAbove is the problem p of c, or, where its issuer is trusted and has ended, that.
func expiredAbove(p *Problem, c *x509.Certificate, roots []*x509.Certificate, at time.Time) error {
	for _, r := range roots {
		if names(r, c) {
			if ended := valid(r, at); ended != nil {
				return ended
			}
		}
	}
	return p
}

// top is where the certificates that were sent lead from the first on, in whatever order they are.
func top(sent []*x509.Certificate) *x509.Certificate {
	last := sent[0]
	for range sent {
		i := slices.IndexFunc(sent[1:], func(c *x509.Certificate) bool { return names(c, last) && !c.Equal(last) })
		if i < 0 || Self(last) {
			break
		}
		last = sent[1+i]
	}
	return last
}
