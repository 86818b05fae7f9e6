package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSRecordMax sends a large message in the largest records that TLS has.
var TLSRecordMax = &check.Check{
	ID:    "protocol.tls-record-max",
	Title: "Receives TLS records of the largest size",
	Why: "A server may put 16 KiB into a record, and does so when it has much to say. " +
		"Small devices shrink the receive buffer of their TLS library to 4 KiB and drop the connection at the first large configuration or update message.",
	Pass: "a message of 128 KiB (of the declared max_command or the MQTT maximum packet size, if smaller) in records of 16384 bytes is acknowledged within 30 s, " +
		"as the same message in records of 1024 bytes was",
	Fix:          "give the TLS library a receive buffer of 16 KiB, or negotiate max_fragment_length and see that the server obeys",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"tls.record.max-fragment"},
	Sources: []string{
		"RFC 8446 section 5.1", "AWS IoT Device Advisor, test TLS Receive Maximum Size Fragments (128 KB in all cases)",
		"espressif/ESP8266_RTOS_SDK issue 142",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:  check.Disturbs,
	Typical: 20 * time.Second,
	Limit:   10 * time.Minute,
	Run:     tlsRecordMax,
}

const (
	fullRecord  = 1 << 14   // bytes; the most that a TLS record holds
	fullMessage = 128 << 10 // bytes of payload
)

func tlsRecordMax(ctx context.Context, t *check.T) error {
	cert, err := t.PKI.Server(pki.Good, t.Device.Part.Host)
	if err != nil {
		return err
	}
	present := func(size int) func() func() {
		return func() func() { return t.Endpoint.Present(endpoint.TLS{Certificate: cert, RecordSize: size}) }
	}
	s, err := onlineWith(ctx, t, "records of 1024 bytes", present(1024))
	if err != nil || s == nil {
		return check.Offline(err)
	}
	m, err := messageFor(t, s, 1)
	if err != nil {
		return err
	}
	size := largest(t, s, len(m.Topic))
	if size < fullRecord {
		return check.NotApplicable("the device takes messages of %d bytes at most, which do not fill a record of %d", size, fullRecord)
	}
	if ok, err := acknowledged(ctx, t, s, m, size); err != nil || !ok {
		return orNot(err, check.NotApplicable("the device does not acknowledge a message of %d bytes in small records either", size))
	}
	mark := t.Log.Len()
	s, err = onlineWith(ctx, t, "records of 16384 bytes", present(fullRecord))
	if err != nil || s == nil {
		return check.Offline(err)
	}
	if m, err = messageFor(t, s, 1); err != nil {
		return err
	}
	ok, err := acknowledged(ctx, t, s, m, size)
	if err != nil {
		return err
	}
	t.Find(judgeRecordMax(ok, size, mark, t.Log.Len()-1)...)
	if !ok {
		p, err := t.Device.Probe(ctx, s, mark, t.Device.Patience())
		if err != nil {
			return err
		}
		t.Find(check.Alive(p, fmt.Sprintf("%d bytes in records of 16384 bytes", size))...)
	}
	return nil
}

// largest is how many bytes of payload the device promises to take, at most fullMessage.
func largest(t *check.T, s *testbed.Session, topic int) int {
	size := fullMessage
	if declared := t.Product.Declared.MaxCommand; declared > 0 {
		size = min(size, declared)
	}
	if s.Version == mqtt.V5 {
		if limit := int(s.Connect.Props.Int(mqtt.MaximumPacketSize, 0)); limit > 0 {
			size = min(size, limit-topic-16) // header, topic length, packet id, no properties
		}
	}
	return size
}

// orNot is err, or otherwise when it is nil.
func orNot(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func judgeRecordMax(acknowledged bool, size, first, last int) []check.Finding {
	if acknowledged {
		return nil
	}
	return []check.Finding{{
		Title:    "Loses a message in TLS records of the largest size",
		Expected: fmt.Sprintf("a PUBACK within 30 s for %d bytes in records of %d bytes", size, fullRecord),
		Seen:     "no PUBACK; the same message in records of 1024 bytes was acknowledged",
		Evidence: check.Range(first, last, "with records of 16384 bytes"),
	}}
}
