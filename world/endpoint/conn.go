package endpoint

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"io"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
)

// shown is how many first bytes an event shows: of an MQTT CONNECT all that comes before its payload, where secrets are.
const shown = 12

// parting is how long, in device time, the end of a TLS session is kept from the handler while the FIN that belongs to it is on its
// way. A part may wait for our close_notify before it sends one, so that no FIN need come (RFC 8446 section 6.1).
const parting = 250 * time.Millisecond

// conn is what a handler gets: the plain or the secured connection, with the link's connection beneath.
type conn struct {
	net.Conn
	under  *link.Conn
	e      *Endpoint
	record int // at most so many bytes in a record; 0: no limit

	first, alert, last sync.Once
}

// Read notes the first application bytes and an alert that ends the connection.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.first.Do(func() { c.e.addBytes(c.under.Number, "", b[:n]) })
	}
	if err == nil {
		return n, nil
	}
	if _, ok := remoteAlert(err); ok {
		c.alert.Do(func() { c.e.addAlert(c.under, err) })
	}
	if err == io.EOF {
		c.last.Do(c.part)
	}
	return n, err
}

// part waits a moment for the FIN after a close_notify. Without one, too, it was the part that ended the connection.
func (c *conn) part() {
	c.under.SetReadDeadline(c.e.o.Clock.Deadline(parting))
	io.Copy(io.Discard, c.under) // ends at once when the FIN is there
	c.under.Ended("peer close_notify")
}

// Write sends b, in records of the size that is presented.
func (c *conn) Write(b []byte) (int, error) {
	if c.record <= 0 {
		return c.Conn.Write(b)
	}
	done := 0
	for done < len(b) {
		n, err := c.Conn.Write(b[done:min(len(b), done+c.record)])
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// CloseWrite ends our direction: a close_notify under TLS, a FIN otherwise.
func (c *conn) CloseWrite() error {
	if _, secure := c.Conn.(*tls.Conn); secure {
		c.under.Ended("we close_notify")
	}
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite() // both kinds have it
}

// NumberOf is the link's number of a connection that was passed to Handle, or of one that wraps it and has NetConn; 0 for any other.
func NumberOf(c net.Conn) int {
	if ours, ok := ours(c); ok {
		return ours.under.Number
	}
	return 0
}

// ours finds the connection that was passed to Handle.
func ours(c net.Conn) (*conn, bool) {
	for range 4 {
		if found, ok := c.(*conn); ok {
			return found, true
		}
		w, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = w.NetConn()
	}
	return nil, false
}

// Reset ends a connection that was passed to Handle with a RST, beneath TLS. Any other connection is closed.
func Reset(c net.Conn) error {
	if ours, ok := ours(c); ok {
		return ours.under.Reset()
	}
	return c.Close()
}

// addBytes logs the first bytes of a connection.
func (e *Endpoint) addBytes(number int, prefix string, b []byte) {
	e.add(evidence.Event{
		Conn: number, Kind: evidence.Bytes, Text: prefix + looksLike(b), Size: len(b),
		Hex: hex.EncodeToString(b[:min(len(b), shown)]),
	})
}

// alertSize is the length of a plaintext alert record (RFC 8446 sections 5.1 and 6).
const alertSize = 7

// under is what crypto/tls speaks through: it gives back the ClientHello that was read already, and splits handshake records.
type under struct {
	*link.Conn
	in       io.Reader
	fragment int // bytes; 0: as they come
	secured  bool
	last     []byte // the last bytes read, as many as a plaintext alert has
}

func newUnder(c *link.Conn, raw []byte, fragment int) *under {
	return &under{Conn: c, in: io.MultiReader(bytes.NewReader(raw), c), fragment: fragment}
}

func (u *under) Read(b []byte) (int, error) {
	n, err := u.in.Read(b)
	u.note(b[:n])
	return n, err
}

// note keeps the end of what was read.
func (u *under) note(b []byte) {
	u.last = append(u.last, b[max(0, len(b)-alertSize):]...)
	u.last = u.last[max(0, len(u.last)-alertSize):]
}

// plainAlert finds an alert that came in the clear where crypto/tls wanted an encrypted record. OpenSSL sends such ones when it
// refuses a certificate in TLS 1.3 before it has keys of its own.
func (u *under) plainAlert() (name string, ok bool) {
	if len(u.last) < alertSize || u.last[0] != recordAlert || u.last[1] != 3 || u.last[3] != 0 || u.last[4] != 2 {
		return "", false
	}
	return alertName(u.last[6]), true
}

// Write splits plaintext handshake records. crypto/tls writes whole records; they are plaintext until its ChangeCipherSpec.
func (u *under) Write(b []byte) (int, error) {
	if u.fragment <= 0 || u.secured {
		return u.Conn.Write(b)
	}
	var out []byte
	rest := b
	for len(rest) >= 5 {
		size := min(5+int(rest[3])<<8+int(rest[4]), len(rest))
		record := rest[:size]
		rest = rest[size:]
		if record[0] == recordChangeCipherSpec {
			u.secured = true
		}
		if u.secured || record[0] != recordHandshake {
			out = append(out, record...)
			continue
		}
		for body := record[5:]; len(body) > 0; {
			n := min(u.fragment, len(body))
			out = append(out, record[0], record[1], record[2], byte(n>>8), byte(n))
			out = append(out, body[:n]...)
			body = body[n:]
		}
	}
	if _, err := u.Conn.Write(append(out, rest...)); err != nil {
		return 0, err
	}
	return len(b), nil
}
