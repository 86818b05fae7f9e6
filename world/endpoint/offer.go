package endpoint

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"golang.org/x/crypto/cryptobyte"
)

// Offer answers each ClientHello with a server flight that chooses exactly this version (at most TLS 1.2) and suite, in the shape of an
// RSA key exchange: ServerHello, Certificate, ServerHelloDone (RFC 5246, section 7.3). It is for suites that crypto/tls does not have.
// A part that goes on with its ClientKeyExchange gives a Secure event whose Text begins with "went on: "; one that refuses gives an
// Alert event. The handshake is never completed.
func (e *Endpoint) Offer(version, suite uint16) (undo func()) {
	text := fmt.Sprintf("offer: %s %s", VersionName(version), CipherName(suite))
	return e.impair(text, e.scripts.Push(func(c *link.Conn, hello *Hello) {
		if hello == nil {
			return // a plain endpoint has nobody to offer it to
		}
		flight, err := e.flight(version, suite, hello)
		if err == nil {
			_, err = c.Write(flight)
		}
		if err != nil {
			e.addAlert(c, err)
			return
		}
		e.addReaction(c, State{Version: version, CipherSuite: suite})
	}))
}

// flight makes the records of the server's first flight.
func (e *Endpoint) flight(version, suite uint16, hello *Hello) ([]byte, error) {
	random := make([]byte, 32) // no downgrade mark (RFC 8446, section 4.1.3): a part is to judge the suite, not that
	rand.Read(random)          // never fails
	var b cryptobyte.Builder
	b.AddUint8(messageServerHello)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint16(version)
		b.AddBytes(random)
		b.AddUint8(0) // no session id
		b.AddUint16(suite)
		b.AddUint8(0) // no compression
		if slices.Contains(hello.Extensions, extRenegotiation) || slices.Contains(hello.CipherSuites, 0x00ff) {
			b.AddBytes([]byte{0, 5, extRenegotiation >> 8, extRenegotiation & 0xff, 0, 1, 0}) // RFC 5746: many clients insist on it
		}
	})
	b.AddUint8(messageCertificate)
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) {
			face, _ := e.faces.Top()
			if face.Certificate == nil {
				return
			}
			for _, der := range face.Certificate.Certificate {
				b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(der) })
			}
		})
	})
	b.AddUint8(messageServerHelloDone)
	b.AddUint24(0)
	messages, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("make server flight: %w", err)
	}
	var out []byte
	for part := range slices.Chunk(messages, maxRecord) {
		out = append(out, record(recordHandshake, version, part)...)
	}
	return out, nil
}

// addReaction logs what the part does after a hand-made answer: it goes on with offered, sends an alert, or ends the connection.
func (e *Endpoint) addReaction(c *link.Conn, offered State) {
	head := make([]byte, 5)
	body := make([]byte, maxRecord)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			e.addAlert(c, err)
			return
		}
		size := int(binary.BigEndian.Uint16(head[3:]))
		if size == 0 || size > maxRecord {
			e.add(evidence.Event{Conn: c.Number, Kind: evidence.Bad, Text: fmt.Sprintf("record of type %d, %d bytes", head[0], size)})
			return
		}
		if _, err := io.ReadFull(c, body[:size]); err != nil {
			e.addAlert(c, err)
			return
		}
		switch {
		case head[0] == recordAlert && size >= 2:
			e.add(evidence.Event{Conn: c.Number, Kind: evidence.Alert, Text: alertName(body[1])})
			return
		case head[0] == recordHandshake && body[0] == messageClientKeyExchange:
			text := fmt.Sprintf("went on: %s %s", VersionName(offered.Version), CipherName(offered.CipherSuite))
			e.add(evidence.Event{Conn: c.Number, Kind: evidence.Secure, Text: text, Data: offered})
			return
		}
	}
}
