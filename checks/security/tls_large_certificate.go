package security

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSLargeCertificate presents ever larger certificate messages until the device fails.
var TLSLargeCertificate = &check.Check{
	ID:    "security.tls-large-certificate",
	Title: "Has room for a larger certificate message",
	Why: "Authorities add intermediates, names and longer keys, and certificates grow from one year to the next. " +
		"A device whose buffer just fits today's chain goes offline at the next renewal, without any change of its own.",
	Pass:         "application data over TLS with certificate messages 20 % larger than usual and of 6144 bytes; with 16384 bytes and with 1000 names (about 30 kB) not getting through is information only",
	Fix:          "give the TLS library a receive buffer of 16 kB (MBEDTLS_SSL_IN_CONTENT_LEN, CONFIG_MBEDTLS_SSL_IN_CONTENT_LEN), or one that grows",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.5-3"},
	Rows:         []string{"tls.cert.large"},
	Sources: []string{
		"AWS IoT Device Advisor, test TLS Large Size Server Cert (criterion: one larger certificate; the sizes are ours)",
		"badssl.com: 1000-sans", "igrr/axtls-8266 issue 13", "Mbed-TLS/mbedtls issue 1840",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:  check.Disturbs,
	Typical: 20 * time.Second,
	Limit:   10 * time.Minute,
	Run:     tlsLargeCertificate,
}

// largeCases are the messages from small to large. Those that are not required show how much room there is.
var largeCases = []struct {
	is       pki.Case
	required bool
}{
	{pki.LargePlus20, true},
	{pki.Large6K, true},
	{pki.Large16K, false},
	{pki.LargeSAN1000, false},
}

func tlsLargeCertificate(ctx context.Context, t *check.T) error {
	largest := 0
	for _, c := range largeCases {
		cert, err := t.PKI.Server(c.is, t.Device.Part.Host)
		if err != nil {
			return err
		}
		size := pki.MessageSize(cert)
		presented := fmt.Sprintf("%s (certificate message of %d bytes)", c.is.Text(), size)
		f, err := t.FaceTLS(ctx, presented, endpoint.TLS{Certificate: cert})
		if err != nil {
			return err
		}
		found := judgeLarge(f, presented, largest, c.required)
		t.Find(found...)
		if len(found) > 0 {
			break // it has no room for still larger ones
		}
		largest = size
	}
	if largest > 0 {
		t.Measure("largest certificate message that works", float64(largest), "bytes", ">= 6144 bytes")
	}
	return nil
}

// judgeLarge grades a message that the device has no room for; largest is the size of the last that worked, 0 when none was tried.
func judgeLarge(f testbed.Faced, presented string, largest int, required bool) []check.Finding {
	j := check.Judge(check.Completed)
	if !required {
		j = j.As(check.Info)
	}
	found := j(f, presented)
	for i := range found {
		if largest > 0 {
			found[i].Seen += fmt.Sprintf("; %d bytes had worked", largest)
		}
	}
	return found
}
