package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSResumption forgets the session tickets, as a server does that was restarted.
var TLSResumption = &check.Check{
	ID:    "protocol.tls-resumption",
	Title: "Makes a full handshake when its session ticket is refused",
	Why: "Devices keep a session ticket to save the costly handshake, and every server restart makes all tickets worthless. " +
		"A device that insists on its ticket stays away after the first maintenance window.",
	Pass:         "after the endpoint lost its ticket keys, a device that resumes sessions connects by itself with a full handshake: within 30 s, or twice its reconnect_cap when only a person could start it",
	Fix:          "drop the ticket after a failed handshake, and let the library fall back to the full one",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"tls.resume.rejected"},
	Sources:      []string{"RFC 5077 section 3.4", "RFC 8446 section 4.6.1", "tlsfuzzer: session tickets"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        45 * time.Minute,
	Run:          tlsResumption,
}

func tlsResumption(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	t.Step("cut the connection, and see whether the device resumes its TLS session")
	mark := t.Log.Len()
	t.Link.Cut(false)
	s, err := t.Device.NextSession(ctx, mark, t.Device.Patience())
	if err != nil {
		return check.Offline(err)
	}
	if secured := s.Secured(t.Bed); secured == nil || !secured.Resumed {
		return check.NotApplicable("the device does not resume TLS sessions: its second connection began with a full handshake")
	}
	t.Step("forget all tickets, and cut the connection again")
	cert, err := t.PKI.Server(pki.Good, t.Device.Part.Host)
	if err != nil {
		return err
	}
	mark = t.Log.Len()
	heal := t.Impair(t.Endpoint.Present(endpoint.TLS{Certificate: cert})) // with new keys
	defer heal()
	t.Link.Cut(false)
	s, err = t.Device.NextSession(ctx, mark, t.Device.Patience())
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return err
	}
	attempts := testbed.Attempts(t.Log.Since(mark))
	if err == nil {
		t.MeasureTime("back with a full handshake", s.Since.Sub(attempts[0].Opened), "")
	}
	t.Find(judgeResumption(attempts, err == nil, mark, t.Log.Len()-1)...)
	return nil
}

func judgeResumption(attempts []testbed.Attempt, back bool, first, last int) []check.Finding {
	if back {
		return nil
	}
	return []check.Finding{{
		Title:    "Does not get over a refused session ticket",
		Expected: "a full handshake after the endpoint lost its ticket keys",
		Seen:     fmt.Sprintf("%d attempts, none accepted; it had resumed its session before", len(attempts)),
		Evidence: check.Range(first, last, "since the tickets were forgotten"),
	}}
}
