package broker

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

// Broker is a running broker. It is safe for concurrent use.
type Broker struct {
	rules rules        // has its own lock: rules run without mu
	kept  atomic.Int64 // bytes of packets in the log
	part  string       // these three are of Options and do not change
	clock *clock.Clock
	log   *evidence.Log

	mu       sync.Mutex
	opts     Options
	closed   bool
	serving  sync.WaitGroup
	conns    map[*Conn]bool
	sessions map[string]*session
	retained map[string]held
	stored   int // bytes of retained messages
	queued   int // bytes in the queues of all sessions
	filters  int // bytes of the filters of all sessions
	numbers  int // connection numbers given to connections that have none
	serial   int // of sessions and assigned client ids
	turn     uint64
}

// New returns a broker without connections.
func New(o Options) *Broker {
	return &Broker{
		part: o.Part, clock: o.Clock, log: o.Log,
		opts:     o.withDefaults(),
		conns:    make(map[*Conn]bool),
		sessions: make(map[string]*session),
		retained: make(map[string]held),
	}
}

// Serve speaks with one client over nc until the connection ends, and closes nc. A broker that is closed, or has
// ten thousand connections, closes nc at once.
func (b *Broker) Serve(nc net.Conn) {
	c, ok := b.enter(nc)
	if !ok {
		_ = nc.Close()
		return
	}
	defer b.serving.Done()
	go c.writeLoop()
	c.readLoop()
	b.lost(c)
	c.finish(fin)
	<-c.written
	b.mu.Lock()
	delete(b.conns, c)
	b.mu.Unlock()
	close(c.done)
}

func (b *Broker) enter(nc net.Conn) (*Conn, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.conns) >= maxConns {
		return nil, false
	}
	c := newConn(b, nc)
	if n, ok := find[interface{ Number() int }](nc); ok {
		c.number = n.Number()
	} else if n := endpoint.NumberOf(nc); n > 0 {
		c.number = n
	} else {
		b.numbers++
		c.number = b.numbers
	}
	b.conns[c] = true
	b.serving.Add(1)
	return c, true
}

// Close cuts every connection, forgets everything and waits until all Serve calls have returned. No wills are sent.
func (b *Broker) Close() {
	b.mu.Lock()
	b.closed = true
	b.forgetAll()
	for c := range b.conns {
		c.cut(fin)
	}
	b.mu.Unlock()
	b.serving.Wait()
}

// Set changes the options while the broker runs, except Part, Clock and Log. What was announced to a client that is connected stays as it was.
func (b *Broker) Set(change func(*Options)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.opts)
	b.opts = b.opts.withDefaults()
}

func (b *Broker) options() Options {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.opts
}

// Publish routes m as if another client had published it, and returns how many sessions it was sent to or queued for.
func (b *Broker) Publish(m Message) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.route(held{Message: m, at: b.clock.Now()}, "")
}

// Conns returns the live connections whose CONNECT was accepted, by number.
func (b *Broker) Conns() []*Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	var cs []*Conn
	for c := range b.conns {
		if c.live() {
			cs = append(cs, c)
		}
	}
	slices.SortFunc(cs, func(x, y *Conn) int { return x.number - y.number })
	return cs
}

// Conn returns the live connection of a client, or nil.
func (b *Broker) Conn(clientID string) *Conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[clientID]; s != nil {
		return s.conn
	}
	return nil
}

// SessionInfo is what the broker keeps for a client.
type SessionInfo struct {
	Subscriptions []mqtt.Subscription // in order of making
	Queued        int                 // messages that wait for a connection or for room in the receive maximum
	InFlight      int                 // messages sent and not yet acknowledged to the end
	Connected     bool
	Expiry        time.Duration // how long it outlives its connection; Forever if without end
}

// Forever is the Expiry of a session that does not expire.
const Forever = time.Duration(1<<63 - 1)

// Session tells what the broker keeps for a client, and whether there is a session.
func (b *Broker) Session(clientID string) (SessionInfo, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[clientID]
	if s == nil {
		return SessionInfo{}, false
	}
	return SessionInfo{
		Subscriptions: s.subscriptions(), Queued: len(s.queue), InFlight: len(s.flights),
		Connected: s.conn != nil, Expiry: lifetime(s.expiry),
	}, true
}

// Forget loses the session of a client: subscriptions, queue and what was in flight, as after expiry. A live connection stays and
// goes on with an empty session.
func (b *Broker) Forget(clientID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[clientID]
	if s == nil {
		return
	}
	if s.conn == nil {
		b.drop(s)
		return
	}
	b.empty(s)
}

// ForgetAll is what a restart of a broker that keeps everything in memory does: all sessions and retained messages are lost and
// all connections are closed with a FIN, without DISCONNECT and without wills.
func (b *Broker) ForgetAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forgetAll()
	for c := range b.conns {
		c.finish(fin)
	}
}

func (b *Broker) forgetAll() {
	for _, s := range b.sessions {
		if s.conn != nil {
			s.conn.will = nil
			s.conn = nil
		}
		b.drop(s)
	}
	clear(b.retained)
	b.stored = 0
}

// TakeOver does to a client what happens when another one connects with its id: DISCONNECT 0x8E in 5.0, then a FIN
// [MQTT-3.1.4-3].
func (b *Broker) TakeOver(clientID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.sessions[clientID]; s != nil && s.conn != nil {
		b.takeOver(s)
	}
}

func (b *Broker) takeOver(s *session) {
	old := s.conn
	b.detach(old)
	old.disconnect(0x8E)
}

// Kept is how many bytes it keeps of retained messages, queues and subscriptions.
func (b *Broker) Kept() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stored + b.queued + b.filters
}

// Retained returns the retained message of a topic, and whether there is one.
func (b *Broker) Retained(topic string) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h, ok := b.retained[topic]
	if !ok || h.expired(b.clock.Now()) {
		return Message{}, false
	}
	return h.Message, true
}

// seen logs a fact about a connection.
func (b *Broker) seen(c *Conn, text string) {
	b.log.Add(evidence.Event{Part: b.part, Conn: c.number, Kind: evidence.Seen, Text: text})
}
