package certificates

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/world/pki"
)

// Address is where the server of the updates is.
const Address = "tls://" + Host + ":443"

var domainValidated = []uint64{2, 23, 140, 1, 2, 1} // a policy of the CA/Browser Forum

// servers is the authority that issues the server's certificate.
func servers(by *pki.Fixed) *pki.Fixed { return authority(by, Servers, day(2026, 1), day(2050, 1)) }

// flaws are the defects of the server: what it sends instead, at a time.
var flaws = map[string]func(now time.Time) []*pki.Fixed{
	"endpoint-late-renewal":         func(now time.Time) []*pki.Fixed { return sent(now, 30, 4) },
	"endpoint-long-certificate":     func(now time.Time) []*pki.Fixed { return sent(now, 10, 440) },
	"endpoint-missing-intermediate": func(now time.Time) []*pki.Fixed { return sent(now, 10, 30)[:1] },
	"endpoint-unknown-root": func(now time.Time) []*pki.Fixed {
		by := servers(authority(nil, "Reference Root X9", day(2025, 1), day(2050, 1)))
		return []*pki.Fixed{server(by, now, 10, 30), by}
	},
	"endpoint-cross-signed": func(now time.Time) []*pki.Fixed {
		return append(sent(now, 10, 30), authority(old(), Root, day(2025, 1), day(2045, 1)))
	},
	"endpoint-ended-member": func(now time.Time) []*pki.Fixed {
		ancient := authority(nil, "Reference Root Y", day(2001, 1), day(2021, 10))
		return append(sent(now, 10, 30), authority(ancient, Root, day(2001, 1), day(2021, 10)))
	},
}

// sent are the server's certificate and its issuer. The certificate began so many days before now, and lasts as many days more.
func sent(now time.Time, before, more int) []*pki.Fixed {
	by := servers(root())
	return []*pki.Fixed{server(by, now, before, more), by}
}

func server(by *pki.Fixed, now time.Time, before, more int) *pki.Fixed {
	policy, err := x509.OIDFromInts(domainValidated)
	if err != nil {
		panic(fmt.Sprintf("certificates of the reference product: %v", err))
	}
	now = now.UTC().Truncate(24 * time.Hour)
	return must(pki.FixedHolder(by, Host, now.AddDate(0, 0, -before), now.AddDate(0, 0, more), func(c *x509.Certificate) {
		c.DNSNames = []string{Host}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		c.Policies = []x509.OID{policy}
	}))
}

// Sent is what the server sends, as the driver for endpoints writes it down: by a handshake with it, in memory.
func Sent(now time.Time, has func(defect string) bool) ([]byte, error) {
	list := sent(now, 10, 30)
	for defect, other := range flaws {
		if has(defect) {
			list = other(now)
		}
	}
	cert := tls.Certificate{PrivateKey: list[0].Key()}
	for _, c := range list {
		cert.Certificate = append(cert.Certificate, c.Cert.Raw)
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer theirs.Close()
		_, _ = tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{cert}}).Read(make([]byte, 1)) // till the other end closes
	}()
	text, err := driver.Record(ctx, ours, Host, Address)
	ours.Close()
	<-done
	if err != nil {
		return nil, fmt.Errorf("ask the server of the reference product: %w", err)
	}
	return text, nil
}
