package security

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSClientCertificate asks the device who it is.
var TLSClientCertificate = &check.Check{
	ID:    "security.tls-client-certificate",
	Title: "Presents its certificate to an endpoint that demands one, or fails cleanly",
	Why: "Clouds know a device by its certificate. " +
		"One that does not present it is a stranger, and one that hangs or hammers when it is asked takes the battery and the endpoint with it.",
	Pass: "to an endpoint that demands a certificate the device presents one; a device that was given none ends its attempts within 60 s " +
		"and connects again when none is demanded",
	Fix:          "hand certificate and key to the TLS library before connecting, and treat the alert certificate_required as a fault that takes time",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.5-4", "CRA:I.2d"},
	Rows:         []string{"tls.clientcert.missing"},
	Sources:      []string{"RFC 8446 sections 4.3.2 and 4.4.2", "badssl.com: client-cert-missing"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        5 * time.Minute,
	Run:          tlsClientCertificate,
}

func tlsClientCertificate(ctx context.Context, t *check.T) error {
	cert, err := t.PKI.Server(pki.Good, t.Device.Part.Host)
	if err != nil {
		return err
	}
	f, err := t.FaceTLS(ctx, "a demand for a client certificate", endpoint.TLS{
		Certificate: cert, ClientAuth: tls.RequireAnyClientCert, ClientCAs: t.PKI.ClientPool(),
	})
	if err != nil {
		return err
	}
	t.Find(judgeClientCertificate(f, t.Device.GivenCertificate())...)
	return nil
}

// judgeClientCertificate looks at what became of the demand. Given says that the device has a certificate of ours. A device without
// one may be known by its password: that it presents none is then no fault, but its attempts have to end.
func judgeClientCertificate(f testbed.Faced, given bool) []check.Finding {
	open := 0
	for _, a := range f.Attempts {
		if a.Secure != nil && a.Secure.ClientCert != "" {
			return nil
		}
		if a.Closed.IsZero() {
			open++
		}
	}
	finding := check.Finding{
		Expected: "its certificate in the handshake, or the end of the connection",
		Evidence: check.Range(f.First, f.Last, "the attempts"),
	}
	switch {
	case given:
		finding.Title = "Does not present its certificate"
		finding.Seen = fmt.Sprintf("%d attempts without a certificate, although it was given one", len(f.Attempts))
	case open > 0:
		finding.Title = "Hangs when a certificate is demanded"
		finding.Seen = fmt.Sprintf("%d of %d attempts were still open after %s", open, len(f.Attempts), f.Healed.Sub(f.Attempts[0].Opened))
	default:
		return nil
	}
	return []check.Finding{finding}
}
