package security

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSNoData is the attack as a whole: it counts what an impostor gets to read, whatever it presents.
var TLSNoData = &check.Check{
	ID:    "security.tls-no-data",
	Title: "Gives nothing away to whoever sits in between",
	Why: "An attacker on the same Wi-Fi answers in place of the cloud, with a certificate of his own or without TLS. " +
		"What counts is not how the handshake ends but what he reads: passwords, readings, commands.",
	Pass: "0 application bytes and 0 credentials, added up over four impostors: self-signed, of another authority with the same name, " +
		"a trusted certificate of another host, and one that ends every handshake",
	Fix:          "verify chain and host name before the first application byte, and never go on without TLS",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.5-6", "EN303645:5.8-1", "CRA:I.2e", "ISTG:DES-SCRT-001", "IOT10:I7"},
	Rows:         []string{"tls.mitm.no-data"},
	Sources:      []string{"certmitm (method: judge by the bytes)", "IoTLS (IMC 2021): 11 of 32 devices gave data to an interceptor"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        15 * time.Minute,
	Run:          tlsNoData,
}

// impostor is one who answers in place of the cloud, and what he got.
type impostor struct {
	presented string
	testbed.Faced
}

func tlsNoData(ctx context.Context, t *check.T) error {
	var met []impostor
	for _, c := range []pki.Case{pki.SelfSigned, pki.UntrustedCA, pki.OtherRealCert} {
		cert, err := t.PKI.Server(c, t.Device.Part.Host)
		if errors.Is(err, pki.ErrNoCase) {
			continue
		}
		if err != nil {
			return err
		}
		f, err := t.FaceTLS(ctx, c.Text(), endpoint.TLS{Certificate: cert})
		if err != nil {
			return err
		}
		met = append(met, impostor{c.Text(), f})
	}
	const aborts = "the end of every handshake"
	f, err := t.FaceEndpoint(ctx, aborts, 2, func() func() { return t.Endpoint.AbortHello(true) })
	if err != nil {
		return err
	}
	met = append(met, impostor{aborts, f})
	bytes, _ := loot(met)
	t.Measure("application bytes to impostors, first reads", float64(bytes), "B", "0")
	t.Find(judgeNoData(met)...)
	return nil
}

// loot adds up what the impostors read: bytes, and the credentials in CONNECT.
func loot(met []impostor) (bytes int, credentials []string) {
	for _, m := range met {
		for _, a := range m.Attempts {
			bytes += a.Bytes
			if a.Connect == nil || a.Connect.Connect == nil {
				continue
			}
			if a.Connect.Connect.HasUser {
				credentials = append(credentials, "user name")
			}
			if a.Connect.Connect.HasPass {
				credentials = append(credentials, "password")
			}
		}
	}
	return bytes, credentials
}

func judgeNoData(met []impostor) []check.Finding {
	bytes, credentials := loot(met)
	if bytes == 0 {
		return nil
	}
	var fooled []string
	var ref []testbed.Attempt
	for _, m := range met {
		for _, a := range m.Attempts {
			if a.Bytes > 0 {
				fooled = append(fooled, m.presented)
				ref = append(ref, a)
				break
			}
		}
	}
	seen := fmt.Sprintf("%d application bytes in the first reads, to %d of %d impostors: %s", bytes, len(fooled), len(met), strings.Join(fooled, "; "))
	if len(credentials) > 0 {
		seen += fmt.Sprintf("; among them %d credentials (%s)", len(credentials), strings.Join(credentials, ", "))
	}
	f := check.Finding{Title: "Gives data to an impostor", Expected: "0 application bytes and 0 credentials to all impostors together", Seen: seen}
	for _, a := range ref {
		f.Evidence = append(f.Evidence, check.Range(a.First, a.Last, "a connection on which it sent application data")...)
	}
	return []check.Finding{f}
}
