package protocol

import (
	"context"
	"crypto/tls"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSRecordTiny cuts what the endpoint says into the smallest pieces.
var TLSRecordTiny = &check.Check{
	ID:    "protocol.tls-record-tiny",
	Title: "Puts TLS together from the smallest pieces",
	Why: "Records and segments may end anywhere: load balancers, tunnels and mobile networks cut them as they like. " +
		"A device that expects a message in one piece works in the office and fails behind one of them.",
	Pass: "it gets online and answers when handshake messages come in records of 1 byte (TLS 1.2), when application data comes in records of 1 byte, " +
		"and when everything comes in TCP segments of 536 bytes; each within 1.5 times connect_within",
	Fix:          "collect handshake messages over records, and read from the socket in a loop; update the TLS library (mbedTLS joins handshake fragments since 3.6.3)",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"tls.record.tiny-fragment"},
	Sources:      []string{"RFC 5246 section 6.2.1", "RFC 8446 section 5.1", "tlsfuzzer: record layer fragmentation"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        20 * time.Minute,
	Run:          tlsRecordTiny,
}

func tlsRecordTiny(ctx context.Context, t *check.T) error {
	cert, err := t.PKI.Server(pki.Good, t.Device.Part.Host)
	if err != nil {
		return err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	hello := s.Attempt(t.Bed).Hello
	for _, w := range []struct {
		presented string
		impair    func() func()
		needs     bool
	}{
		{"handshake messages in records of 1 byte", func() func() {
			return t.Endpoint.Present(endpoint.TLS{Certificate: cert, MaxVersion: tls.VersionTLS12, HandshakeFragment: 1})
		}, hello != nil && slices.Contains(hello.Versions, tls.VersionTLS12)},
		{"application data in records of 1 byte", func() func() {
			return t.Endpoint.Present(endpoint.TLS{Certificate: cert, RecordSize: 1})
		}, true},
		{"TCP segments of 536 bytes", func() func() { return t.Link.Segment(536) }, true},
	} {
		if !w.needs {
			t.Record("left out %s: the device does not offer TLS 1.2", w.presented)
			continue
		}
		if err := answersWith(ctx, t, w.presented, w.impair); err != nil {
			return err
		}
	}
	return nil
}

// answersWith has the device come online in a world with another framing, and probes it there.
func answersWith(ctx context.Context, t *check.T, presented string, impair func() (undo func())) error {
	undo := func() {}
	s, err := onlineWith(ctx, t, presented, func() func() { undo = impair(); return undo })
	if err != nil || s == nil {
		return check.Offline(err)
	}
	defer undo()
	p, err := t.Device.Probe(ctx, s, t.Log.Len(), t.Device.Patience())
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, presented)...)
	return nil
}
