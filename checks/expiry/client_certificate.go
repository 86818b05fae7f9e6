package expiry

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// ClientCertificate lets the device's own certificate end.
var ClientCertificate = &check.Check{
	ID:    "expiry.client-certificate",
	Title: "Keeps its head when its own certificate expires",
	Why: "The certificate in the device ends on a day that was fixed in the factory, and on that day a whole batch is refused at once. " +
		"If it hammers it takes the cloud down; if it says nothing, support looks for the fault in the Wi-Fi.",
	Pass: "with a certificate that ends in 1 day it connects; with one that ended 1 day ago, refused by the endpoint, it tries at most 20 times in 60 s " +
		"and speaks of a certificate on its console, if it has one, in both cases; it connects again within the declared reconnect_cap and 10 s when the endpoint no longer asks",
	Fix:          "watch notAfter of the own certificate, report it 30 days ahead, and wait as after a refused password when it has passed",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-3", "CRA:I.2h", "CRA:I.2i"},
	Incidents:    []string{"INC-005", "INC-008"},
	Rows:         []string{"tls.clientcert.expired"},
	Sources:      []string{"RFC 8446 section 6.2, certificate_expired", "badssl.com: client", "the limit of 20 attempts a minute is ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Restarts,
	Typical:      90 * time.Second,
	Limit:        10 * time.Minute,
	Run:          clientCertificate,
}

const expiredStorm = 20 // attempts in 60 s that are too many

func clientCertificate(ctx context.Context, t *check.T) error {
	if !t.Device.GivenCertificate() {
		return check.NotApplicable("the device was not given the certificate that could be let expire: its product file does not use {client.cert}")
	}
	server, err := t.PKI.Server(pki.Good, t.Device.Part.Host)
	if err != nil {
		return err
	}
	demand := endpoint.TLS{Certificate: server, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: t.PKI.ClientPool()}

	t.Step("demand the device's certificate, which ends in 1 day")
	if err := certify(t, 24*time.Hour); err != nil {
		return err
	}
	first := t.Log.Len()
	heal := t.Impair(t.Endpoint.Present(demand))
	s, err := t.Device.Online(ctx)
	if err != nil {
		return check.NotRun("see with security.tls-client-certificate whether it presents its certificate",
			"with a certificate that is good for another day: %v", err)
	}
	if secured := s.Secured(t.Bed); secured == nil || secured.ClientCert == "" {
		return check.NotRun("", "no client certificate was seen on a connection that demands one")
	}
	t.Find(judgeAnnounced(speech(t.Device.Part.Name, t.Log.Since(first)), first, t.Log.Len()-1)...)
	heal()
	if err := t.Device.Stop(ctx); err != nil {
		return err
	}

	t.Step("the same, but the certificate ended 1 day ago")
	if err := certify(t, -24*time.Hour); err != nil {
		return err
	}
	heal = t.Impair(t.Endpoint.Present(demand))
	patience := 2 * time.Minute
	promised := t.Device.Has("reconnect_cap")
	if promised {
		patience = t.Device.Cap() + 10*time.Second
	}
	f, err := t.Device.Face(ctx, testbed.Facing{Heal: heal, Attempts: expiredStorm + 1, Within: 60 * time.Second, Recover: patience})
	if err != nil {
		return check.Offline(err)
	}
	if !check.Tried(f) {
		return check.NotRun("see its console in the evidence", "the device sent no ClientHello while its certificate had expired")
	}
	t.MeasureTime("back after the endpoint no longer asked", f.BackAfter, "")
	t.Find(judgeClientExpired(f, promised, speech(t.Device.Part.Name, t.Log.Since(f.First)[:f.Last+1-f.First]))...)
	return nil
}

// certify gives the device a certificate that ends left from now, until the check is over.
func certify(t *check.T, left time.Duration) error {
	undo, err := t.Device.Certify(t.Clock.Now().Add(left))
	if err != nil {
		return err
	}
	t.Undo(undo)
	return nil
}

// judgeClientExpired looks at the attempts with an expired certificate, at what the part printed meanwhile, and, where the longest pause
// is promised, at whether it came back.
func judgeClientExpired(f testbed.Faced, promised bool, said console) []check.Finding {
	var found []check.Finding
	ref := check.Range(f.First, f.Last, "while the endpoint refused its expired certificate")
	tries := 0
	for _, a := range f.Attempts {
		if a.Hello != nil {
			tries++
		}
		if a.Secure != nil && a.Connack != nil && a.Secure.ClientCert != "" {
			return nil // it got hold of another certificate, which is the best answer
		}
	}
	if tries > expiredStorm {
		found = append(found, check.Finding{
			Title:    "Hammers the endpoint with an expired certificate",
			Expected: fmt.Sprintf("at most %d attempts in 60 s", expiredStorm),
			Seen:     fmt.Sprintf("%d attempts in %.1f s", tries, f.Healed.Sub(f.Attempts[0].Opened).Seconds()),
			Evidence: ref,
		})
	}
	if said.silent() {
		found = append(found, check.Finding{
			Severity: check.Minor,
			Title:    "Does not say that its certificate has expired",
			Expected: "a line on the console that speaks of a certificate",
			Seen:     fmt.Sprintf("%d lines, none of them about a certificate", said.lines),
			Evidence: ref,
		})
	}
	if f.Restarted && promised {
		found = append(found, check.Finding{
			Title:    "Stays away after it was refused for an expired certificate",
			Expected: "a new attempt by itself after the endpoint no longer asks for a certificate",
			Seen:     "no accepted connection until it was started anew",
			Evidence: ref,
		})
	}
	return found
}

// console is what a part printed: how many lines, and how many of them speak of a certificate.
type console struct{ lines, certificate int }

// silent reports whether the part has a console and said nothing of a certificate there.
func (c console) silent() bool { return c.lines > 0 && c.certificate == 0 }

func speech(part string, events []evidence.Event) (c console) {
	for _, e := range events {
		if e.Kind != evidence.Console || e.Part != part {
			continue
		}
		c.lines++
		if strings.Contains(strings.ToLower(e.Text), "certificate") {
			c.certificate++
		}
	}
	return c
}

// judgeAnnounced looks at what was printed while the certificate was about to end.
func judgeAnnounced(said console, first, last int) []check.Finding {
	if !said.silent() {
		return nil
	}
	return []check.Finding{{
		Severity: check.Info,
		Title:    "Does not announce that its certificate is about to end",
		Expected: "a line on the console that speaks of the certificate, which ends in 1 day",
		Seen:     fmt.Sprintf("%d lines, none of them about a certificate", said.lines),
		Evidence: check.Range(first, last, "with a certificate that ends in 1 day"),
	}}
}
