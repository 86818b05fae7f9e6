package trust

import (
	"crypto/x509"
	"slices"
	"time"
)

// Ends is when the client has no path any more, if the server goes on sending just these certificates. The certificate is the one that
// ends then. The error is that of Paths, when there is none at that time already.
func (c Client) Ends(sent, roots []*x509.Certificate, at time.Time) (time.Time, *x509.Certificate, error) {
	paths, err := c.Paths(sent, roots, at)
	if err != nil {
		return time.Time{}, nil, err
	}
	end := longest(paths, func(int, *x509.Certificate) bool { return true })
	return end.NotAfter, end, nil
}

// Horizon is when the client has no path any more, although the server renews in time whatever it can: its own certificate and the
// intermediates. What it cannot renew are the roots that clients have, and what an older root certified of a newer one.
func (c Client) Horizon(sent, roots []*x509.Certificate, at time.Time) (time.Time, *x509.Certificate, error) {
	paths, err := c.Paths(sent, roots, at)
	if err != nil {
		return time.Time{}, nil, err
	}
	end := longest(paths, func(left int, cert *x509.Certificate) bool {
		return left == 0 || slices.ContainsFunc(slices.Concat(roots, sent), func(r *x509.Certificate) bool {
			return sameAuthority(r, cert) && !r.Equal(cert)
		})
	})
	return end.NotAfter, end, nil
}

// longest is the certificate that ends first, of those that count, in the path that lasts longest. Left is how many follow one.
func longest(paths [][]*x509.Certificate, counts func(left int, c *x509.Certificate) bool) (end *x509.Certificate) {
	for _, path := range paths {
		var first *x509.Certificate
		for i, cert := range path {
			if counts(len(path)-1-i, cert) && (first == nil || cert.NotAfter.Before(first.NotAfter)) {
				first = cert
			}
		}
		if end == nil || first.NotAfter.After(end.NotAfter) {
			end = first
		}
	}
	return end
}
