package broker

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// Conn is one network connection of a client. It is safe for concurrent use.
type Conn struct {
	b      *Broker
	nc     net.Conn
	number int
	out    *outbox
	ctx    context.Context // ends when the connection is cut
	cancel context.CancelFunc

	written chan struct{} // closed when the writer has ended
	done    chan struct{} // closed when Serve has let go of it

	// Of the reader; aliases are 5.0 topic aliases of the client.
	aliases  map[uint16]string
	limits   Capabilities  // as announced
	greeted  bool          // a CONNECT came and was handled or answered
	patience time.Duration // how long a client may be silent; 0: for ever

	// Guarded by Broker.mu.
	session *session // nil until CONNECT is accepted; stays after the end
	will    *mqtt.Will

	mu      sync.Mutex
	version mqtt.Version
	connect *mqtt.Packet
	id      string              // client id, as given or assigned
	unacked map[uint16]struct{} // of the client's QoS 1 and 2 publications: no final acknowledgement sent on this connection
	told    map[uint16]struct{} // ids of QoS 2 publications sent with Send
}

func newConn(b *Broker, nc net.Conn) *Conn {
	c := &Conn{
		b: b, nc: nc, out: newOutbox(), version: mqtt.V311,
		written: make(chan struct{}), done: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Number is the connection's number in events.
func (c *Conn) Number() int { return c.number }

// ClientID is the id that the client gave or was assigned; empty before CONNECT.
func (c *Conn) ClientID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// Version is the protocol version that the client asked for; V311 before CONNECT.
func (c *Conn) Version() mqtt.Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.version
}

// Connect is the CONNECT packet, or nil before it came.
func (c *Conn) Connect() *mqtt.Packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connect
}

// Subscriptions are those of the client's session, in order of making.
func (c *Conn) Subscriptions() []mqtt.Subscription {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if c.session == nil {
		return nil
	}
	return c.session.subscriptions()
}

// Send sends p as told, legal or not, without consulting the rules. The broker keeps no state for it, but completes the QoS 2
// handshake of a PUBLISH. It does not wait; the error is ErrEnded.
func (c *Conn) Send(p *mqtt.Packet) error {
	own := *p
	if own.Version == 0 {
		own.Version = c.Version()
	}
	if own.Type == mqtt.PUBLISH && own.QoS == 2 {
		c.mu.Lock()
		if c.told == nil {
			c.told = make(map[uint16]struct{})
		}
		c.told[own.ID] = struct{}{}
		c.mu.Unlock()
	}
	return c.push(item{packet: &own, told: true})
}

// SendRaw sends bytes as they are, logged with the text what. It does not wait; the error is ErrEnded.
func (c *Conn) SendRaw(what string, raw []byte) error {
	return c.push(item{raw: append([]byte(nil), raw...), what: what, told: true})
}

// NextID returns a packet identifier that is not in use towards this client.
func (c *Conn) NextID() uint16 {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if c.session == nil {
		return 1
	}
	return c.session.nextID()
}

// Close ends the connection with a FIN after what is queued was sent. It does not wait; see Done.
func (c *Conn) Close() { c.finish(fin) }

// Reset ends the connection with a RST at once. It does not wait; see Done.
func (c *Conn) Reset() { c.cut(rst) }

// Done is closed when the connection has ended and its session knows.
func (c *Conn) Done() <-chan struct{} { return c.done }

// live reports whether the session is connected through c. Broker.mu is held.
func (c *Conn) live() bool { return c.session != nil && c.session.conn == c }

// send queues p for the rules and the wire.
func (c *Conn) send(p *mqtt.Packet) {
	p.Version = c.Version()
	_ = c.push(item{packet: p}) // a connection that has ended is noticed by its reader
}

func (c *Conn) push(it item) error {
	ok, overflow := c.out.push(it)
	if overflow {
		c.cut(fin)
	}
	if !ok || overflow {
		return ErrEnded
	}
	return nil
}

// finish ends the connection after what is queued.
func (c *Conn) finish(how ending) {
	if ok, _ := c.out.push(item{end: how}); ok {
		_ = c.nc.SetWriteDeadline(c.b.clock.Deadline(finishWait))
	}
}

// cut ends the connection at once, without waiting for anything: the writer does the closing.
func (c *Conn) cut(how ending) {
	c.out.end(how)
	c.cancel()
	_ = c.nc.SetDeadline(c.b.clock.Deadline(-1))
}

// disconnect ends the connection, in 5.0 with a DISCONNECT that says why.
func (c *Conn) disconnect(code byte) {
	if c.Version() == mqtt.V5 && c.Connect() != nil {
		c.send(&mqtt.Packet{Type: mqtt.DISCONNECT, Code: code})
	}
	c.finish(fin)
}

// find looks for a method on nc and on the connections that it wraps.
func find[T any](nc net.Conn) (T, bool) {
	for range 8 {
		if t, ok := nc.(T); ok {
			return t, true
		}
		w, ok := nc.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		nc = w.NetConn()
	}
	var none T
	return none, false
}
