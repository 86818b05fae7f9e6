package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Options say who connects and how.
type Options struct {
	Addr string      // host:port
	TLS  *tls.Config // nil: plain TCP

	Version   mqtt.Version
	ClientID  string
	User      string
	Pass      string // User and Pass are left out of CONNECT when empty
	Clean     bool   // Clean Session (3.1.1), Clean Start (5.0)
	KeepAlive uint16 // seconds; 0 is off. Pings are sent by themselves, until Silence
	Will      *mqtt.Will
	Props     mqtt.Properties // of CONNECT, 5.0 only

	Number int    // of the connection in events, unique within a job
	Part   string // the broker's name in events
	Clock  *clock.Clock
	Log    *evidence.Log
}

// The errors of waiting.
var (
	ErrNoAnswer = errors.New("no answer from the broker")
	ErrClosed   = errors.New("the broker closed the connection")
)

const (
	maxPacket = 4 << 20          // bytes of the largest packet that is taken from a broker
	dialWait  = 10 * time.Second // device time for TCP and TLS
	writeWait = 30 * time.Second // for a broker that does not read
)

// Received is a packet from the broker.
type Received struct {
	*mqtt.Packet
	N  int // number of its event
	At time.Time
}

// Ending is how a connection ended.
type Ending struct {
	By string // as in Close events: "peer fin", "peer reset", "we fin", "we reset"
	N  int    // number of its event
	At time.Time
}

// Conn is one connection. It is safe for concurrent use.
type Conn struct {
	o  Options
	nc net.Conn

	sending sync.Mutex
	done    chan struct{} // closed when the reader has ended

	mu      sync.Mutex
	got     []Received
	msgs    []Received      // PUBLISH packets as an application gets them
	pending map[uint16]bool // QoS 2 ids between PUBLISH and PUBREL
	aliases map[uint32]string
	held    bool          // no acknowledgements
	mute    bool          // nothing at all
	stalled chan struct{} // nil: it reads
	ours    string
	end     *Ending
	lastID  uint16
	changed chan struct{} // closed and replaced at every packet
	pinger  *time.Timer
}

// Dial opens the connection, with TLS if the options say so; CONNECT is not sent yet. Close ends it.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	ctx, cancel := o.Clock.Timeout(ctx, dialWait)
	defer cancel()
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", o.Addr)
	if err != nil {
		o.Log.Add(evidence.Event{Part: o.Part, Conn: o.Number, Kind: evidence.Seen, Text: "could not connect: " + err.Error()})
		return nil, fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	o.Log.Add(evidence.Event{Part: o.Part, Conn: o.Number, Kind: evidence.Open, Text: "we connected as " + quoted(o.ClientID)})
	if o.TLS != nil {
		secure := tls.Client(nc, o.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			nc.Close()
			o.Log.Add(evidence.Event{Part: o.Part, Conn: o.Number, Kind: evidence.Alert, Text: err.Error()})
			return nil, fmt.Errorf("TLS handshake with %s: %w", o.Addr, err)
		}
		nc = secure
		o.Log.Add(evidence.Event{Part: o.Part, Conn: o.Number, Kind: evidence.Secure, Text: tls.VersionName(secure.ConnectionState().Version)})
	}
	c := &Conn{
		o: o, nc: nc, done: make(chan struct{}), changed: make(chan struct{}),
		pending: map[uint16]bool{}, aliases: map[uint32]string{},
	}
	go c.read()
	return c, nil
}

// Number is the connection's number in events.
func (c *Conn) Number() int { return c.o.Number }

// Resumed reports whether its TLS handshake resumed an earlier session.
func (c *Conn) Resumed() bool {
	secure, ok := c.nc.(*tls.Conn)
	return ok && secure.ConnectionState().DidResume
}

// ClientID is the id that it gives in CONNECT.
func (c *Conn) ClientID() string { return c.o.ClientID }

// Send sends p as told, in the connection's version.
func (c *Conn) Send(p *mqtt.Packet) error {
	own := *p
	own.Version = c.o.Version
	return c.write(&own, "", own.Bytes())
}

// SendRaw sends bytes as they are, logged with the text what.
func (c *Conn) SendRaw(what string, raw []byte) error { return c.write(nil, what, raw) }

func (c *Conn) write(p *mqtt.Packet, what string, raw []byte) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	mute := c.mute
	c.mu.Unlock()
	if mute {
		return nil
	}
	c.record(evidence.Out, p, what, raw)
	_ = c.nc.SetWriteDeadline(c.o.Clock.Deadline(writeWait))
	if _, err := c.nc.Write(raw); err != nil {
		return fmt.Errorf("send on connection %d: %w", c.o.Number, err)
	}
	return nil
}

// Hold stops acknowledgements: QoS 1 and 2 messages stay in flight, and a QoS 2 publication of ours stops at its PUBREC.
func (c *Conn) Hold() { c.set(func() { c.held = true }) }

// Resume makes acknowledgements automatic again, for what comes from now on.
func (c *Conn) Resume() { c.set(func() { c.held = false }) }

// Silence makes the client fall silent with its connection open, as one that lost its power: from now on nothing is sent.
func (c *Conn) Silence() { c.set(func() { c.mute = true }) }

// Stall stops reading, so that what the broker sends piles up on the way; what was read last is still taken.
func (c *Conn) Stall() {
	c.set(func() {
		if c.stalled == nil {
			c.stalled = make(chan struct{})
		}
	})
}

// Unstall goes on reading after Stall. It is harmless otherwise.
func (c *Conn) Unstall() {
	c.set(func() {
		if c.stalled != nil {
			close(c.stalled)
			c.stalled = nil
		}
	})
}

// reads waits until the connection may be read.
func (c *Conn) reads() {
	c.mu.Lock()
	stalled := c.stalled
	c.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
}

func (c *Conn) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// Close ends the connection with a FIN and without DISCONNECT, and waits for the reader. Closing again is harmless.
func (c *Conn) Close() { c.hangUp("we fin", func() { c.nc.Close() }) }

// Reset ends the connection with a RST.
func (c *Conn) Reset() {
	c.hangUp("we reset", func() {
		under := c.nc
		if t, ok := under.(*tls.Conn); ok {
			under = t.NetConn()
		}
		if t, ok := under.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		under.Close()
	})
}

func (c *Conn) hangUp(how string, closing func()) {
	c.set(func() {
		if c.ours == "" {
			c.ours = how
		}
		if c.pinger != nil {
			c.pinger.Stop()
		}
	})
	closing()
	c.Unstall()
	<-c.done
}

// Ended is how the connection ended, or nil while it is open.
func (c *Conn) Ended() *Ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

func quoted(id string) string {
	const most = 40
	if len(id) > most {
		return fmt.Sprintf("%q… (%d bytes)", id[:most], len(id))
	}
	return fmt.Sprintf("%q", id)
}
