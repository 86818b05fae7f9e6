package pki

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"fmt"
)

// MessageSize is the length in octets of the Certificate message that carries cert in TLS 1.2, with its header of 4 (RFC 5246
// 7.4.2). In TLS 1.3 it is 1 octet longer, and 2 more for each certificate, and a staple comes on top (RFC 8446 4.4.2).
func MessageSize(cert *tls.Certificate) int {
	n := 4 + 3
	for _, der := range cert.Certificate {
		n += 3 + len(der)
	}
	return n
}

// padSlack is what a padded message may have too much: length fields grow, and ECDSA signatures vary by some octets.
const padSlack = 16

func largePlus20(a *Authority, o *order) (*tls.Certificate, error) {
	plain, err := o.signed(&a.int1, a.int1)
	if err != nil {
		return nil, err
	}
	return padded((6*MessageSize(plain)+4)/5)(a, o)
}

// padded makes the message at least size octets, and at most padSlack more, by an extension that clients must ignore.
func padded(size int) func(*Authority, *order) (*tls.Certificate, error) {
	return func(a *Authority, o *order) (*tls.Certificate, error) {
		n := 0
		for range 4 {
			o.tmpl.ExtraExtensions = []pkix.Extension{{Id: oidPadding, Value: make([]byte, n)}}
			cert, err := o.signed(&a.int1, a.int1)
			if err != nil {
				return nil, err
			}
			over := MessageSize(cert) - size
			if over >= 0 && (over <= padSlack || n == 0) {
				return cert, nil
			}
			n = max(0, n-over+padSlack/2)
		}
		return nil, fmt.Errorf("pad certificate message to %d octets: lengths do not settle", size)
	}
}

// thousandNames puts the right name last: a client that reads only some of them will not find it.
func thousandNames(o *order) error {
	names := make([]string, 0, 1000)
	for i := range 999 {
		names = append(names, fmt.Sprintf("host-%03d.names.shakedown.test", i))
	}
	o.tmpl.DNSNames = append(names, o.tmpl.DNSNames...)
	return nil
}
