package origin

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Options are what a server is made of.
type Options struct {
	Part  string // its name in events
	Clock *clock.Clock
	Log   *evidence.Log
	Conn  net.PacketConn // the server closes it
	Rand  *rand.Rand     // of message ids and tokens; used by the server alone
	DTLS  *DTLS          // nil: plain UDP
}

// Limits against hostile peers.
const (
	maxPeers     = 256
	maxAnswers   = 64 // kept for repeated requests, by peer
	maxObservers = 256
	maxBody      = 256 << 10
	maxHex       = 64   // bytes of a message that stand in hex in an event
	maxFailed    = 1000 // reads in a row that fail: the connection is broken
)

// exchangeLifetime is how long a message id means the same message (RFC 7252 section 4.8.2).
const exchangeLifetime = 247 * time.Second

// Server is a CoAP endpoint. It is safe for concurrent use.
type Server struct {
	Path *Path

	o         Options
	matching  sync.Mutex // of rules
	mu        sync.Mutex
	closed    bool
	rules     []*Rule
	peers     map[string]*Peer // by address or session
	order     []*Peer
	resources map[string]*Resource
	observers []*observer
	sequence  uint32 // of notifications
	notify    coap.Type
	blockSize int
	life      context.Context
	end       context.CancelFunc
	secure    *secure
	running   sync.WaitGroup
}

// New starts a server.
func New(o Options) *Server {
	s := &Server{
		Path: newPath(o.Conn), o: o, peers: map[string]*Peer{}, resources: map[string]*Resource{},
		notify: coap.CON, blockSize: 512, sequence: 10,
	}
	s.life, s.end = context.WithCancel(context.Background())
	if o.DTLS != nil {
		s.secure = newSecure(s, *o.DTLS)
	}
	s.running.Go(s.listen)
	return s
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.o.Conn.LocalAddr() }

// Close ends the server; peers hear nothing of it.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.o.Conn.Close()
	if s.secure != nil {
		s.secure.close()
	}
	s.running.Wait()
}

// BlockSize sets the largest block that the server sends, 16 to 1024 bytes.
func (s *Server) BlockSize(n int) (undo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.blockSize
	s.blockSize = n
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.blockSize = before
	}
}

// ForgetObservers is what a restart does to a server that keeps nothing: observers and the answers to repeated requests are forgotten
// without a word.
func (s *Server) ForgetObservers() {
	s.mu.Lock()
	s.observers = nil
	for _, p := range s.order {
		p.answers, p.recent = map[uint16]answer{}, nil
	}
	s.mu.Unlock()
	s.note(evidence.Impair, 0, "the server has forgotten its observers")
}

// ForgetSessions forgets all DTLS sessions without a word.
func (s *Server) ForgetSessions() {
	if s.secure == nil {
		return
	}
	s.note(evidence.Impair, 0, "the server has forgotten its DTLS sessions")
	s.secure.forget()
}

// Peers are those that the server has heard from, in the order in which they came.
func (s *Server) Peers() []*Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Peer(nil), s.order...)
}

// Peer is the peer of a number, as events have it; nil when there is none.
func (s *Server) Peer(number int) *Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < 1 || number > len(s.order) {
		return nil
	}
	return s.order[number-1]
}

func (s *Server) note(kind evidence.Kind, conn int, format string, args ...any) {
	s.o.Log.Add(evidence.Event{Part: s.o.Part, Conn: conn, Kind: kind, Text: fmt.Sprintf(format, args...)})
}

// after calls f later, unless the server is closed or the call stopped before.
func (s *Server) after(d time.Duration, f func()) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return func() {}
	}
	ctx, cancel := context.WithCancel(s.life)
	s.running.Go(func() {
		defer cancel()
		if s.o.Clock.Sleep(ctx, d) == nil {
			f()
		}
	})
	return cancel
}

// listen reads datagrams until the connection is closed.
func (s *Server) listen() {
	b := make([]byte, 1<<16)
	for failed := 0; failed < maxFailed; failed++ {
		n, from, err := s.Path.ReadFrom(b)
		if s.life.Err() != nil {
			return
		}
		if err != nil {
			continue // such as a port unreachable of an earlier datagram
		}
		failed = 0
		raw := append([]byte(nil), b[:n]...)
		if s.secure != nil {
			s.secure.datagram(from, raw)
			continue
		}
		if p := s.peer(from.String(), from, nil); p != nil {
			s.receive(p, raw)
		}
	}
}

// peer finds a peer or makes it; nil when there are too many. Over is its DTLS session, or nil.
func (s *Server) peer(key string, addr net.Addr, over *session) *Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.peers[key]
	if p == nil && len(s.order) < maxPeers {
		p = &Peer{s: s, Addr: addr, session: over, number: len(s.order) + 1, id: uint16(s.o.Rand.IntN(1 << 16)), answers: map[uint16]answer{}, waiting: map[uint16]*pending{}, asked: map[string]chan *coap.Message{}}
		s.peers[key] = p
		s.order = append(s.order, p)
		s.o.Log.Add(evidence.Event{Part: s.o.Part, Conn: p.number, Kind: evidence.Open, Text: "from " + addr.String()})
	}
	return p
}

// receive deals with one datagram of a peer.
func (s *Server) receive(p *Peer, raw []byte) {
	m, err := coap.Decode(raw)
	e := evidence.Event{Part: s.o.Part, Conn: p.number, Kind: evidence.In, Size: len(raw), Hex: hex.EncodeToString(raw[:min(len(raw), maxHex)])}
	if err != nil {
		e.Kind, e.Text = evidence.Bad, err.Error()
		lenient, _ := coap.DecodeLenient(raw)
		if lenient != nil {
			e.Data = lenient
		}
		s.o.Log.Add(e)
		if lenient != nil && lenient.Version == 1 && lenient.Type == coap.CON {
			p.transmit(&coap.Message{Type: coap.RST, ID: lenient.ID})
		}
		return
	}
	e.Text, e.Data = m.String(), m
	if n := p.heard(m); n > 0 {
		e.Text += fmt.Sprintf(" (sent again: %d)", n)
	}
	s.o.Log.Add(e)
	s.apply(In, p, m, func(m *coap.Message) { s.handle(p, m) })
}

// handle deals with a message as the standard says.
func (s *Server) handle(p *Peer, m *coap.Message) {
	switch {
	case m.Type == coap.ACK || m.Type == coap.RST:
		p.settled(m)
	case m.Code == coap.Empty && m.Type == coap.CON:
		p.Send(&coap.Message{Type: coap.RST, ID: m.ID}) // a ping
	case m.Code.Request():
		s.request(p, m)
	case m.Code.Response():
		p.responded(m)
	}
}

// Got returns the message of an In event.
func Got(e evidence.Event) (*coap.Message, bool) { return of(e, evidence.In) }

// Sent returns the message of an Out event.
func Sent(e evidence.Event) (*coap.Message, bool) { return of(e, evidence.Out) }

func of(e evidence.Event, kind evidence.Kind) (*coap.Message, bool) {
	m, ok := e.Data.(*coap.Message)
	return m, ok && m != nil && e.Kind == kind
}
