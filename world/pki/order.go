package pki

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// maxCN is ub-common-name of RFC 5280 appendix A.1.
const maxCN = 64

// order is one server certificate that was asked for. A case alters the template or the key before it is signed.
type order struct {
	name string     // as asked for
	ip   netip.Addr // valid if name is an IP address
	now  time.Time
	tmpl *x509.Certificate
	key  crypto.Signer
}

// newOrder prepares the good certificate for name.
func newOrder(name string, now time.Time) (*order, error) {
	o := &order{name: name, now: now}
	if ip, err := netip.ParseAddr(name); err == nil && ip.Zone() == "" {
		o.ip = ip.Unmap()
	} else if !isDNSName(name) {
		return nil, fmt.Errorf("%q is neither a DNS name nor an IP address", name)
	}
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	o.key = key
	o.tmpl = &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Shakedown stand-in"}},
		NotBefore:             now.Add(-day), // a device may lag a little
		NotAfter:              now.Add(90 * day),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	o.setSAN(name)
	if len(name) <= maxCN {
		o.tmpl.Subject.CommonName = name
	}
	return o, nil
}

// setSAN makes name the only subject alternative name: an IP address as iPAddress, anything else, valid or not, as dNSName.
func (o *order) setSAN(name string) {
	o.tmpl.DNSNames, o.tmpl.IPAddresses = nil, nil
	if ip := net.ParseIP(name); ip != nil {
		o.tmpl.IPAddresses = []net.IP{ip}
		return
	}
	o.tmpl.DNSNames = []string{name}
}

// rename makes the certificate one for another host.
func (o *order) rename(name string) {
	o.setSAN(name)
	o.tmpl.Subject.CommonName = name
}

// other is a host of the same maker, and of the same sort, that is not the one asked for. IP addresses are from TEST-NET-1
// (RFC 5737), in the form of the order's own.
func (o *order) other() string {
	switch {
	case !o.ip.IsValid():
		return "elsewhere.shakedown.test"
	case o.name == "192.0.2.1":
		return "192.0.2.2"
	default:
		return "192.0.2.1"
	}
}

// labels are those of a DNS name; an IP address has none.
func (o *order) labels() []string {
	if o.ip.IsValid() {
		return nil
	}
	return strings.Split(o.name, ".")
}

// signed is the certificate as issued by by, with the certificates that follow it.
func (o *order) signed(by *issuer, rest ...issuer) (*tls.Certificate, error) {
	leaf, err := by.sign(o.tmpl, o.key.Public())
	if err != nil {
		return nil, err
	}
	return bundle(o, leaf, rest...), nil
}

func noCase(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNoCase, fmt.Sprintf(format, args...))
}

// isDNSName accepts letters, digits, hyphens and underscores in labels of 1 to 63 octets, 253 in all (RFC 1035 2.3.4), without a final dot.
func isDNSName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, r := range label {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", r) {
				return false
			}
		}
	}
	return true
}
