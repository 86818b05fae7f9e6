package record

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Done is what a handshake led to: a Session, or a Conn.
type Done struct {
	Session *Session            // TLS 1.3
	Conn    *tls.Conn           // an older version: its record layer is that of crypto/tls
	State   tls.ConnectionState // as it was right after the handshake
}

// Handshake is the client's side of a handshake on conn, done by crypto/tls. Nothing is read from conn beyond what the handshake needs, so
// that what comes next is whole records for [Session.Open]. The configuration is not changed, and may serve many handshakes at a time; its
// KeyLogWriter, if it has one, gets the secrets too. About its ClientSessionCache, see the text of the package.
//
// With an error, and when ctx ends, conn is of no more use; closing it is up to the caller in every case.
func Handshake(ctx context.Context, conn net.Conn, cfg *tls.Config) (Done, error) {
	keys := &keyLog{also: cfg.KeyLogWriter}
	own := cfg.Clone()
	own.KeyLogWriter = keys
	p := &pipe{Conn: conn}
	c := tls.Client(p, own)
	if err := c.HandshakeContext(ctx); err != nil {
		return Done{}, fmt.Errorf("TLS handshake: %w", err)
	}
	done := Done{State: c.ConnectionState()}
	if done.State.Version != tls.VersionTLS13 {
		p.whole = true
		done.Conn = c
		return done, nil
	}
	s, err := NewSession(done.State.CipherSuite, keys.client, keys.server)
	if err != nil {
		return Done{}, fmt.Errorf("TLS handshake: %w", err)
	}
	if cfg.ClientSessionCache != nil && !cfg.SessionTicketsDisabled {
		s.tail = &tail{conn: c, remote: conn.RemoteAddr()}
		p.Conn = s.tail
	}
	done.Session = s
	return done, nil
}

// keyLog takes the traffic secrets out of the lines that crypto/tls writes, which are in the format of NSS.
type keyLog struct {
	client, server []byte
	also           io.Writer
}

func (k *keyLog) Write(line []byte) (int, error) {
	if f := bytes.Fields(line); len(f) == 3 {
		var err error
		switch string(f[0]) {
		case "CLIENT_TRAFFIC_SECRET_0":
			k.client, err = hex.AppendDecode(nil, f[2])
		case "SERVER_TRAFFIC_SECRET_0":
			k.server, err = hex.AppendDecode(nil, f[2])
		}
		if err != nil {
			return 0, err
		}
	}
	if k.also != nil {
		return k.also.Write(line)
	}
	return len(line), nil
}

// pipe is what crypto/tls reads from: never beyond the end of a record, since it takes all that it is given.
type pipe struct {
	net.Conn
	whole  bool // no bounds any more
	header [headerSize]byte
	got    int // of the header
	left   int // of the record behind it
}

func (p *pipe) Read(b []byte) (int, error) {
	if p.whole || len(b) == 0 {
		return p.Conn.Read(b)
	}
	if p.left > 0 {
		n, err := p.Conn.Read(b[:min(len(b), p.left)])
		p.left -= n
		return n, err
	}
	n, err := p.Conn.Read(b[:min(len(b), headerSize-p.got)])
	p.got += copy(p.header[p.got:], b[:n])
	if p.got == headerSize {
		p.got, p.left = 0, int(binary.BigEndian.Uint16(p.header[3:]))
	}
	return n, err
}

// tail is the tls.Conn of a session that still waits for tickets. It is shown records, and has no connection: it is a net.Conn itself.
type tail struct {
	conn   *tls.Conn
	remote net.Addr // under which a cache has the tickets of a server without a name
	shown  []byte
}

// read shows it a record, and gives the tail that goes on: nil, if it did not like what it saw.
func (t *tail) read(record []byte) *tail {
	if t == nil {
		return nil
	}
	t.shown = record
	if _, err := t.conn.Read(make([]byte, 1)); !errors.Is(err, errShown) {
		return nil
	}
	return t
}

func (t *tail) Read(b []byte) (int, error) {
	if len(t.shown) == 0 {
		return 0, errShown
	}
	n := copy(b, t.shown)
	t.shown = t.shown[n:]
	return n, nil
}

func (t *tail) Write(b []byte) (int, error)      { return len(b), nil }
func (t *tail) Close() error                     { return nil }
func (t *tail) LocalAddr() net.Addr              { return t.remote }
func (t *tail) RemoteAddr() net.Addr             { return t.remote }
func (t *tail) SetDeadline(time.Time) error      { return nil }
func (t *tail) SetReadDeadline(time.Time) error  { return nil }
func (t *tail) SetWriteDeadline(time.Time) error { return nil }

// errShown tells crypto/tls that there is nothing more for now. It takes that for passing, as it does a time limit.
var errShown net.Error = shown{}

type shown struct{}

func (shown) Error() string   { return "no more records to show" }
func (shown) Timeout() bool   { return true }
func (shown) Temporary() bool { return true }

// Ticket is the session cache of one device: the last ticket that it got. Sharing a cache would have a device resume the session of
// another, since crypto/tls knows them by the name of the server alone. The zero value is ready; it may be used concurrently.
type Ticket struct {
	last atomic.Pointer[tls.ClientSessionState]
}

// Get gives the ticket, which stays, as it does in the clients of devices: a server may refuse one that comes again.
func (t *Ticket) Get(string) (*tls.ClientSessionState, bool) {
	s := t.last.Load()
	return s, s != nil
}

// Put replaces the ticket; nil drops it.
func (t *Ticket) Put(_ string, s *tls.ClientSessionState) { t.last.Store(s) }
