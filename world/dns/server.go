package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Bounds of what a server does for clients that may be hostile.
const (
	maxMessage = 4096             // bytes of a query
	maxPending = 64               // queries being answered, and connections
	maxServed  = 100              // queries on one connection
	idle       = 20 * time.Second // until a connection without a query is closed, in device time
	plainSize  = 512              // bytes of a UDP answer to a client that says nothing of its size (RFC 1035, section 4.2.1)
)

// Options is what New needs.
type Options struct {
	Part  string // the part of its events
	Zone  *Zone
	Clock *clock.Clock
	Log   *evidence.Log
	UDP   net.PacketConn // closed by Close
	TCP   net.Listener   // nil: UDP only; closed by Close
	Stray net.PacketConn // nil, or another port of the same address, for answers that come from the wrong one; closed by Close
}

// Server answers from a zone. It is safe for concurrent use.
type Server struct {
	o          Options
	behaviours link.Stack[Behaviour]
	ctx        context.Context
	cancel     context.CancelFunc
	room       chan struct{}
	tasks      sync.WaitGroup
	mu         sync.Mutex
	conns      map[net.Conn]bool
}

// New starts a server.
func New(o Options) *Server {
	s := &Server{o: o, room: make(chan struct{}, maxPending), conns: map[net.Conn]bool{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.tasks.Go(func() { link.Datagrams(s.ctx, o.Clock, o.UDP, maxMessage, s.datagram) })
	if o.TCP != nil {
		s.tasks.Go(s.serveTCP)
	}
	return s
}

// Close ends the server and waits for what it is doing.
func (s *Server) Close() error {
	s.cancel()
	err := s.o.UDP.Close()
	if s.o.TCP != nil {
		err = errors.Join(err, s.o.TCP.Close())
	}
	if s.o.Stray != nil {
		err = errors.Join(err, s.o.Stray.Close())
	}
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.tasks.Wait()
	return err
}

// Do has the server misbehave until undo. Of several behaviours the latest that applies to a query counts.
func (s *Server) Do(b Behaviour) (undo func()) {
	s.add(evidence.Event{Kind: evidence.Impair, Text: b.text})
	heal := s.behaviours.Push(b)
	return sync.OnceFunc(func() {
		heal()
		s.add(evidence.Event{Kind: evidence.Heal, Text: b.text})
	})
}

func (s *Server) datagram(data []byte, from net.Addr) {
	s.take(func() {
		s.handle(data, link.AddrPort(from), false, func(conn net.PacketConn, b []byte) error {
			_, err := conn.WriteTo(b, from)
			return err
		})
	})
}

// take runs f in a goroutine of its own, or not at all when too many are running.
func (s *Server) take(f func()) bool {
	select {
	case s.room <- struct{}{}:
	default:
		return false
	}
	s.tasks.Go(func() {
		defer func() { <-s.room }()
		f()
	})
	return true
}

func (s *Server) serveTCP() {
	for {
		c, err := s.o.TCP.Accept()
		if err != nil {
			return
		}
		if !s.track(c) || !s.take(func() { defer s.forget(c); s.serveConn(c) }) {
			s.forget(c)
		}
	}
}

func (s *Server) track(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
	return s.ctx.Err() == nil
}

func (s *Server) forget(c net.Conn) {
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// serveConn answers the queries of one connection, each behind its length in two bytes (RFC 7766, section 8).
func (s *Server) serveConn(c net.Conn) {
	from := link.AddrPort(c.RemoteAddr())
	for range maxServed {
		if c.SetDeadline(s.o.Clock.Deadline(idle)) != nil {
			return
		}
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(size[:]))
		if n > maxMessage {
			s.add(evidence.Event{Kind: evidence.Bad, Text: "DNS query over TCP of more than 4096 bytes from " + from.String(), Size: n})
			return
		}
		data := make([]byte, n)
		if _, err := io.ReadFull(c, data); err != nil {
			return
		}
		s.handle(data, from, true, func(_ net.PacketConn, b []byte) error {
			_, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
			return err
		})
	}
}

// handle answers one message. Send is given the socket from which to answer, which means nothing over TCP.
func (s *Server) handle(data []byte, from netip.AddrPort, tcp bool, send func(net.PacketConn, []byte) error) {
	m := new(dns.Msg)
	switch err := m.Unpack(data); {
	case err != nil:
		s.add(evidence.Event{Kind: evidence.Bad, Text: "no DNS message from " + from.String() + ": " + err.Error(), Size: len(data)})
		return
	case m.Response:
		s.add(evidence.Event{Kind: evidence.Bad, Text: "a DNS answer in place of a query from " + from.String(), Size: len(data)})
		return
	case len(m.Question) != 1 || m.Opcode != dns.OpcodeQuery:
		s.add(evidence.Event{Kind: evidence.Bad, Text: "no DNS query for one name from " + from.String(), Size: len(data)})
		s.decline(m, from, send)
		return
	}
	x := &exchange{s: s, query: m, q: newQuery(m, from, tcp), send: send}
	s.add(evidence.Event{Kind: evidence.In, Text: x.q.String(), Size: len(data), Data: x.q})
	b, ok := s.behaviours.Find(func(b Behaviour) bool { return b.only == nil || b.only(x.q) })
	if !ok {
		x.reply(x.honest(), "")
		return
	}
	b.run(x)
}

// decline answers what is no query for one name, unless the server misbehaves (RFC 1035, section 4.1.1).
func (s *Server) decline(m *dns.Msg, from netip.AddrPort, send func(net.PacketConn, []byte) error) {
	if _, misbehaves := s.behaviours.Top(); misbehaves {
		return
	}
	code := dns.RcodeFormatError
	if m.Opcode != dns.OpcodeQuery {
		code = dns.RcodeNotImplemented
	}
	b, err := new(dns.Msg).SetRcode(m, code).Pack()
	if err != nil {
		return
	}
	s.add(evidence.Event{Kind: evidence.Out, Text: dns.RcodeToString[code] + " to " + from.String(), Size: len(b)})
	if err := send(s.o.UDP, b); err != nil && s.ctx.Err() == nil {
		s.add(evidence.Event{Kind: evidence.Seen, Text: "answer to " + from.String() + " not sent: " + err.Error()})
	}
}

func (s *Server) add(e evidence.Event) {
	e.Part = s.o.Part
	s.o.Log.Add(e)
}

// Part is the name that the server's events have.
func (s *Server) Part() string { return s.o.Part }
