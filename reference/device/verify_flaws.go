package device

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// softeners blank the field of a parsed certificate that a defect does not look at. First is true for the server's own certificate.
var softeners = map[string]func(c *x509.Certificate, first bool){
	"tls-no-dates":      func(c *x509.Certificate, _ bool) { c.NotBefore, c.NotAfter = time.Time{}, distantFuture },
	"tls-no-not-before": func(c *x509.Certificate, _ bool) { c.NotBefore = time.Time{} },
	"tls-leaf-dates-only": func(c *x509.Certificate, first bool) {
		if !first {
			c.NotBefore, c.NotAfter = time.Time{}, distantFuture
		}
	},
	"tls-leaf-as-ca": func(c *x509.Certificate, _ bool) {
		c.BasicConstraintsValid, c.IsCA, c.MaxPathLen = true, true, -1
		c.KeyUsage |= x509.KeyUsageCertSign
	},
	"tls-no-path-len":  func(c *x509.Certificate, _ bool) { c.MaxPathLen, c.MaxPathLenZero = -1, false },
	"tls-no-cert-sign": func(c *x509.Certificate, _ bool) { c.KeyUsage |= x509.KeyUsageCertSign },
	"tls-no-critical":  func(c *x509.Certificate, _ bool) { c.UnhandledCriticalExtensions = nil },
	"tls-no-name-constraints": func(c *x509.Certificate, _ bool) {
		c.PermittedDNSDomains, c.ExcludedDNSDomains = nil, nil
		c.PermittedIPRanges, c.ExcludedIPRanges = nil, nil
	},
}

var distantFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (v *verifier) softens() bool {
	for defect := range softeners {
		if v.cfg.has(defect) {
			return true
		}
	}
	return false
}

// soften parses the certificates anew, because those of a connection are shared, and blanks what planted defects do not look at.
func (v *verifier) soften(certs []*x509.Certificate) ([]*x509.Certificate, error) {
	var own []*x509.Certificate
	for i, c := range certs {
		c, err := x509.ParseCertificate(c.Raw)
		if err != nil {
			return nil, fmt.Errorf("parse certificate: %w", err)
		}
		for defect, soften := range softeners {
			if v.cfg.has(defect) {
				soften(c, i == 0)
			}
		}
		own = append(own, c)
	}
	return own, nil
}

// limits is what too small or too clever a client fails on although the certificate is good.
func (v *verifier) limits(cs tls.ConnectionState) error {
	has := v.cfg.has
	size := 0
	for i, c := range cs.PeerCertificates {
		size += len(c.Raw)
		if i > 0 && has("tls-chain-in-order") && cs.PeerCertificates[i-1].CheckSignatureFrom(c) != nil {
			return errors.New("certificate chain is out of order")
		}
	}
	key, isRSA := cs.PeerCertificates[0].PublicKey.(*rsa.PublicKey)
	switch {
	case has("tls-cert-2k") && size > 2048:
		return errors.New("certificate message does not fit the buffer")
	case has("tls-no-rsa-4096") && isRSA && key.N.BitLen() > 3072:
		return errors.New("RSA key does not fit the buffer")
	case v.tickets != nil && !cs.DidResume && v.tickets.had.Load():
		return errors.New("server refuses to resume")
	}
	return nil
}

// ticketMemory does not forget that there was a ticket once.
type ticketMemory struct {
	tls.ClientSessionCache
	had atomic.Bool
}

// Put keeps a ticket; nil gives one up.
func (m *ticketMemory) Put(key string, ticket *tls.ClientSessionState) {
	if ticket != nil {
		m.had.Store(true)
	}
	m.ClientSessionCache.Put(key, ticket)
}

// accepts is how a defect takes a chain that has no valid path.
func (v *verifier) accepts(certs, roots []*x509.Certificate, opts x509.VerifyOptions) bool {
	leaf := certs[0]
	switch {
	case v.cfg.has("tls-self-signed"):
		return leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil
	case v.cfg.has("tls-issuer-by-name"):
		return slices.ContainsFunc(certs, func(c *x509.Certificate) bool {
			return slices.ContainsFunc(roots, func(r *x509.Certificate) bool { return string(c.RawIssuer) == string(r.RawSubject) })
		})
	case v.cfg.has("tls-sha1"):
		opts.KeyUsages = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		return slices.ContainsFunc(certs[1:], func(parent *x509.Certificate) bool {
			_, err := parent.Verify(opts)
			return err == nil && parent.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil
		})
	}
	return false
}

// endOf are the roots by the name in which the chain ends as it was sent. OpenSSL below 1.1.0 looked at no others.
func endOf(certs, roots []*x509.Certificate) []*x509.Certificate {
	end := certs[0]
	for range certs { // so often at most: they may certify each other
		i := slices.IndexFunc(certs, func(c *x509.Certificate) bool { return c != end && string(c.RawSubject) == string(end.RawIssuer) })
		if i < 0 {
			break
		}
		end = certs[i]
	}
	return slices.DeleteFunc(slices.Clone(roots), func(r *x509.Certificate) bool { return string(r.RawSubject) != string(end.RawIssuer) })
}

// acceptsName is how a defect takes a certificate that is not for the host.
func (v *verifier) acceptsName(leaf *x509.Certificate) bool {
	switch {
	case v.cfg.has("tls-no-hostname"):
		return true
	case v.cfg.has("tls-cn-fallback"):
		return strings.EqualFold(leaf.Subject.CommonName, v.host)
	}
	return slices.ContainsFunc(leaf.DNSNames, func(name string) bool {
		switch {
		case v.cfg.has("tls-host-prefix"):
			return strings.HasPrefix(name, v.host)
		case v.cfg.has("tls-nul-in-name"):
			before, _, _ := strings.Cut(name, "\x00")
			return before == v.host
		case v.cfg.has("tls-wildcard-anything"):
			before, after, star := strings.Cut(name, "*")
			return star && strings.HasPrefix(v.host, before) && strings.HasSuffix(v.host, after)
		}
		return false
	})
}

// smallBuffer is a TLS stack with too little memory: it fails on records above 4 KiB, or on handshake messages that are split over
// records.
type smallBuffer struct {
	net.Conn
	cfg  *Config
	head []byte // of the record that is being read
	skip int    // bytes of its body to come
}

var errBuffer = errors.New("record does not fit the buffer")

func (b *smallBuffer) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		if b.skip > 0 {
			k := min(b.skip, len(rest))
			b.skip, rest = b.skip-k, rest[k:]
			continue
		}
		b.head, rest = append(b.head, rest[0]), rest[1:]
		if len(b.head) < 5 {
			continue
		}
		b.skip = int(binary.BigEndian.Uint16(b.head[3:]))
		handshake := b.head[0] == 22
		b.head = b.head[:0]
		if b.skip > 4096 && b.cfg.has("tls-record-4k") || handshake && b.skip < 4 && b.cfg.has("tls-no-split-handshake") {
			return 0, errBuffer
		}
	}
	return n, err
}
