package endpoint

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
)

// State is the Data of a Secure event.
type State struct {
	Version     uint16    `json:"version"`
	CipherSuite uint16    `json:"cipher_suite"`
	Resumed     bool      `json:"resumed"`
	ClientCert  string    `json:"client_cert,omitempty"` // subject; empty when the part showed none
	ClientUntil time.Time `json:"client_until,omitzero"` // end of that certificate
}

// serveTLS reads the ClientHello, then runs the script in force or the handshake and the handler.
func (e *Endpoint) serveTLS(c *link.Conn) {
	c.SetDeadline(e.o.Clock.Deadline(Patience))
	raw, hello, err := readHello(c)
	switch {
	case errors.Is(err, errPlain):
		e.addBytes(c.Number, "plain: ", raw)
		return
	case errors.Is(err, errMalformed):
		e.add(evidence.Event{Conn: c.Number, Kind: evidence.Bad, Text: err.Error(), Size: len(raw)}) // crypto/tls sends the alert
	case err != nil:
		e.addAlert(c, err)
		return
	default:
		e.add(evidence.Event{Conn: c.Number, Kind: evidence.Hello, Text: hello.String(), Size: len(raw), Data: *hello})
	}
	if run, ok := e.scripts.Top(); ok && hello != nil {
		run(c, hello)
		return
	}
	face, _ := e.faces.Top()
	under := newUnder(c, raw, face.HandshakeFragment)
	secure := tls.Server(under, face.config)
	if err := secure.Handshake(); err != nil {
		if name, ok := under.plainAlert(); ok {
			e.add(evidence.Event{Conn: c.Number, Kind: evidence.Alert, Text: name})
			return
		}
		e.addAlert(c, err)
		return
	}
	c.SetDeadline(e.o.Clock.Deadline(0))
	e.addSecure(c, secure.ConnectionState())
	defer secure.Close()
	e.handle(&conn{Conn: secure, under: c, e: e, record: face.RecordSize})
}

func (e *Endpoint) addSecure(c *link.Conn, s tls.ConnectionState) {
	state := State{Version: s.Version, CipherSuite: s.CipherSuite, Resumed: s.DidResume}
	if len(s.PeerCertificates) > 0 {
		state.ClientCert = s.PeerCertificates[0].Subject.String()
		state.ClientUntil = s.PeerCertificates[0].NotAfter
	}
	text := VersionName(s.Version) + " " + CipherName(s.CipherSuite)
	if s.DidResume {
		text += ", resumed"
	}
	e.add(evidence.Event{Conn: c.Number, Kind: evidence.Secure, Text: text, Data: state})
}

// addAlert logs how a handshake ended without success.
func (e *Endpoint) addAlert(c *link.Conn, err error) {
	e.add(evidence.Event{Conn: c.Number, Kind: evidence.Alert, Text: failure(err)})
}

// failure names the end of a handshake: the peer's alert by its name, or what happened in its place.
func failure(err error) string {
	if name, ok := remoteAlert(err); ok {
		return name
	}
	text := err.Error()
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "peer closed without alert"
	case strings.Contains(text, "connection reset"):
		return "peer reset without alert"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("no handshake within %s", Patience)
	case errors.Is(err, net.ErrClosed):
		return "we closed"
	}
	return "we refused: " + strings.TrimPrefix(text, "tls: ")
}

// remoteAlert finds the name of the peer's alert in an error of crypto/tls, which wraps it as a net.OpError "remote error".
func remoteAlert(err error) (name string, ok bool) {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return "", false
	}
	return strings.TrimPrefix(op.Err.Error(), "tls: "), true
}
