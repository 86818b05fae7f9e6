package ntp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/wire/ntp"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Bounds of what a server does for clients that may be hostile.
const (
	maxMessage = 1024 // bytes; extensions and authentication stand behind the packet
	maxPending = 64   // replies that are late
)

// Options is what New needs.
type Options struct {
	Part  string // the part of its events
	Clock *clock.Clock
	Log   *evidence.Log
	UDP   net.PacketConn // closed by Close
}

// Request is what a client asked with, as the Data of an In event.
type Request struct {
	From   netip.AddrPort `json:"from"` // as the server sees it: behind a NAT, the router's
	Packet ntp.Packet     `json:"packet"`
}

// Reply is what was sent, as the Data of an Out event.
type Reply struct {
	To     netip.AddrPort `json:"to"`
	Packet ntp.Packet     `json:"packet"`
	Lie    string         `json:"lie,omitempty"` // what is wrong with it; empty: nothing
}

// Asked reports the request that an event is; false when it is none.
func Asked(e evidence.Event) (Request, bool) {
	r, ok := e.Data.(Request)
	return r, ok && e.Kind == evidence.In
}

// Replied reports the reply that an event is; false when it is none.
func Replied(e evidence.Event) (Reply, bool) {
	r, ok := e.Data.(Reply)
	return r, ok && e.Kind == evidence.Out
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	o          Options
	behaviours link.Stack[Behaviour]
	ctx        context.Context
	cancel     context.CancelFunc
	room       chan struct{}
	tasks      sync.WaitGroup
}

// New starts a server.
func New(o Options) *Server {
	s := &Server{o: o, room: make(chan struct{}, maxPending)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.tasks.Go(func() { link.Datagrams(s.ctx, o.Clock, o.UDP, maxMessage, s.datagram) })
	return s
}

// Close ends the server and waits for what it is doing.
func (s *Server) Close() error {
	s.cancel()
	err := s.o.UDP.Close()
	s.tasks.Wait()
	return err
}

// Do has the server misbehave until undo. Of several behaviours the latest counts.
func (s *Server) Do(b Behaviour) (undo func()) {
	s.add(evidence.Event{Kind: evidence.Impair, Text: b.text})
	heal := s.behaviours.Push(b)
	return sync.OnceFunc(func() {
		heal()
		s.add(evidence.Event{Kind: evidence.Heal, Text: b.text})
	})
}

func (s *Server) datagram(data []byte, from net.Addr) {
	s.handle(data, link.AddrPort(from), func(b []byte) error {
		_, err := s.o.UDP.WriteTo(b, from)
		return err
	})
}

// handle answers one message.
func (s *Server) handle(b []byte, from netip.AddrPort, send func([]byte) error) {
	came := s.o.Clock.Now()
	p, err := ntp.Decode(b)
	if err != nil {
		s.add(evidence.Event{Kind: evidence.Bad, Text: err.Error() + " from " + from.String(), Size: len(b)})
		return
	}
	text := fmt.Sprintf("NTP v%d mode %d request from %s, transmit %016x", p.Version, p.Mode, from, uint64(p.Transmit))
	s.add(evidence.Event{Kind: evidence.In, Text: text, Size: len(b), Data: Request{From: from, Packet: p}})
	if p.Mode != ntp.Client {
		return // RFC 4330, section 5: a simple server answers clients
	}
	behaviour, ok := s.behaviours.Top()
	if !ok {
		behaviour = right
	}
	if behaviour.late == 0 {
		s.reply(p, from, came, behaviour, send)
		return
	}
	select {
	case s.room <- struct{}{}:
	default:
		return
	}
	s.tasks.Go(func() {
		defer func() { <-s.room }()
		if s.o.Clock.Sleep(s.ctx, behaviour.late) == nil {
			s.reply(p, from, came, behaviour, send)
		}
	})
}

// reply sends what a behaviour makes of a right reply.
func (s *Server) reply(request ntp.Packet, from netip.AddrPort, came time.Time, b Behaviour, send func([]byte) error) {
	lie := b.offset
	r := ntp.Packet{
		Version: max(1, min(request.Version, 4)), Mode: ntp.Server, Stratum: 1, Poll: request.Poll, Precision: -20, RootDispersion: 0x10,
		RefID: [4]byte{'G', 'P', 'S'}, Originate: request.Transmit,
		Reference: ntp.At(came.Add(lie - 8*time.Second)), Receive: ntp.At(came.Add(lie)), Transmit: ntp.At(s.o.Clock.Now().Add(lie)),
	}
	size := ntp.Size
	if b.edit != nil {
		size = b.edit(&r)
	}
	if size == 0 {
		return
	}
	what := b.text
	if what == right.text {
		what = ""
	}
	text := fmt.Sprintf("NTP reply of stratum %d to %s: %s", r.Stratum, from, r.Transmit.Near(came.Add(lie)).Format(time.RFC3339Nano))
	if what != "" {
		text += " (" + what + ")"
	}
	s.add(evidence.Event{Kind: evidence.Out, Text: text, Size: size, Data: Reply{To: from, Packet: r, Lie: what}})
	if err := send(r.Append(nil)[:size]); err != nil && s.ctx.Err() == nil {
		s.add(evidence.Event{Kind: evidence.Seen, Text: fmt.Sprintf("NTP reply to %s not sent: %v", from, err)})
	}
}

func (s *Server) add(e evidence.Event) {
	e.Part = s.o.Part
	s.o.Log.Add(e)
}
