package pki

import (
	"crypto/tls"
	"crypto/x509"
	"net"
)

// untrustedCA copies names and key identifiers from the real authority, so that only the signatures tell them apart.
func untrustedCA(a *Authority, o *order) (*tls.Certificate, error) {
	root, err := impostor(nil, a.r1.cert)
	if err != nil {
		return nil, err
	}
	intermediate, err := impostor(&root, a.int1.cert)
	if err != nil {
		return nil, err
	}
	return o.signed(&intermediate, intermediate, root)
}

func impostor(by *issuer, of *x509.Certificate) (issuer, error) {
	tmpl := caTemplate("", span{of.NotBefore, of.NotAfter})
	tmpl.Subject = of.Subject
	tmpl.SubjectKeyId = of.SubjectKeyId
	return newCA(by, tmpl)
}

func missingIntermediate(a *Authority, o *order) (*tls.Certificate, error) {
	return o.signed(&a.int1)
}

// unorderedChain has two intermediates, because one alone cannot be out of order.
func unorderedChain(a *Authority, o *order) (*tls.Certificate, error) {
	lower, err := newCA(&a.int1, caTemplate("Lower Intermediate", o.live()))
	if err != nil {
		return nil, err
	}
	stray, err := newCA(nil, caTemplate("Stray", o.live()))
	if err != nil {
		return nil, err
	}
	return o.signed(&lower, stray, a.int1, lower)
}

// below issues from a new intermediate of R1. A new one, with its own name and key, so that a device that has kept the good
// intermediate finds no way around.
func below(template func(*order) *x509.Certificate) func(*Authority, *order) (*tls.Certificate, error) {
	return func(a *Authority, o *order) (*tls.Certificate, error) {
		intermediate, err := newCA(&a.r1, template(o))
		if err != nil {
			return nil, err
		}
		return o.signed(&intermediate, intermediate)
	}
}

func expiredIntermediate(o *order) *x509.Certificate {
	return caTemplate("Intermediate, expired", span{o.now.Add(-year), o.now.Add(-day)})
}

func constrainedIntermediate(o *order) *x509.Certificate {
	tmpl := caTemplate("Intermediate, for other names only", o.live())
	tmpl.PermittedDNSDomainsCritical = true
	tmpl.PermittedDNSDomains = []string{"another-owner.test"}
	tmpl.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(198, 51, 100, 0).To4(), Mask: net.CIDRMask(24, 32)}} // TEST-NET-2
	return tmpl
}

func noCertSignIntermediate(o *order) *x509.Certificate {
	tmpl := caTemplate("Intermediate, without keyCertSign", o.live())
	tmpl.KeyUsage &^= x509.KeyUsageCertSign
	return tmpl
}

func pathLenExceeded(a *Authority, o *order) (*tls.Certificate, error) {
	tmpl := caTemplate("Intermediate, pathLen 0", o.live())
	tmpl.MaxPathLenZero = true
	upper, err := newCA(&a.r1, tmpl)
	if err != nil {
		return nil, err
	}
	lower, err := newCA(&upper, caTemplate("Intermediate, one too many", o.live()))
	if err != nil {
		return nil, err
	}
	return o.signed(&lower, lower, upper)
}

func rootExpiredCrossSigned(a *Authority, o *order) (*tls.Certificate, error) {
	return o.signed(&a.int0, a.int0, a.r0cross)
}

func crossSignedByExpired(a *Authority, o *order) (*tls.Certificate, error) {
	return o.signed(&a.int1, a.int1, a.r1cross)
}

func rootExpiredOnly(a *Authority, o *order) (*tls.Certificate, error) {
	return o.signed(&a.int0, a.int0)
}

func secondRoot(a *Authority, o *order) (*tls.Certificate, error) {
	return o.signed(&a.int2, a.int2)
}

// live is the validity of an authority that is made for one order.
func (o *order) live() span { return span{o.now.Add(-30 * day), o.now.Add(year)} }
