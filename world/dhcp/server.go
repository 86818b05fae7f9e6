package dhcp

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Options is what New needs.
type Options struct {
	Part  string // the part of its events
	Clock *clock.Clock
	Log   *evidence.Log

	// Conn is the server's UDP port 67 on all addresses; it is closed by Close. If it has ReadFromTo, that tells what was sent to the
	// server alone.
	Conn net.PacketConn

	// Raw sends a datagram from the server's port to a station that has no address yet, or, with the broadcast address, to all.
	Raw func(mac net.HardwareAddr, from, to netip.AddrPort, payload []byte)

	Leases Leases
}

// Server is a DHCP server. It is safe for concurrent use.
type Server struct {
	o     Options
	tasks sync.WaitGroup
	ctx   context.Context
	stop  context.CancelFunc

	mu      sync.Mutex
	changes []*func(*Leases)
	leases  map[netip.Addr]lease
	late    chan struct{} // has one for every answer that waits
}

// The ports of DHCP.
const (
	ServerPort = 67
	ClientPort = 68
)

// maxLeases bounds what clients that invent addresses can make a server remember.
const maxLeases = 512

// maxLate bounds how many answers wait to be sent when the server is slow.
const maxLate = 64

var everybody = netip.MustParseAddr("255.255.255.255")

// New starts a server.
func New(o Options) *Server {
	s := &Server{o: o, leases: map[netip.Addr]lease{}, late: make(chan struct{}, maxLate)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.tasks.Go(s.serve)
	return s
}

// Close ends the server.
func (s *Server) Close() {
	s.stop()
	_ = s.o.Conn.Close() // it is of no more use
	s.tasks.Wait()
}

// Set changes what is leased and how the server behaves, until undo. Changes add up in the order in which they were made.
func (s *Server) Set(change func(*Leases)) (undo func()) {
	mine := &change
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = append(s.changes, mine)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changes = slices.DeleteFunc(s.changes, func(c *func(*Leases)) bool { return c == mine })
	}
}

// Leases is what is leased now.
func (s *Server) Leases() Leases {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

func (s *Server) now() Leases {
	l := s.o.Leases
	for _, change := range s.changes {
		(*change)(&l)
	}
	return l
}

// Forget loses what was leased to whom, as a router that reboots does.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.leases)
}

// Leased is the address that a station has a lease for; invalid: none.
func (s *Server) Leased(mac net.HardwareAddr) netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a, l := range s.leases {
		if l.client == mac.String() && l.until >= s.o.Clock.Passed() {
			return a
		}
	}
	return netip.Addr{}
}

// serve reads until the connection is closed.
func (s *Server) serve() {
	b := make([]byte, largest+1)
	for s.ctx.Err() == nil {
		n, from, to, err := s.read(b)
		if err != nil {
			return
		}
		p, m, err := decode(b[:n])
		if err != nil || p.OpCode != dhcpv4.OpcodeBootRequest {
			s.note(evidence.Bad, "something that is no DHCP request from "+from.String(), n, nil)
			continue
		}
		m.Unicast = to.IsValid() && to != everybody
		s.note(evidence.In, m.String(), n, m)
		s.handle(p, m)
	}
}

// read is ReadFrom, with whom the datagram was sent to where the connection can tell.
func (s *Server) read(b []byte) (n int, from net.Addr, to netip.Addr, err error) {
	if c, ok := s.o.Conn.(interface {
		ReadFromTo([]byte) (int, net.Addr, netip.Addr, error)
	}); ok {
		return c.ReadFromTo(b)
	}
	n, from, err = s.o.Conn.ReadFrom(b)
	return n, from, netip.Addr{}, err
}

// handle answers a message, at once or later.
func (s *Server) handle(p *dhcpv4.DHCPv4, m Message) {
	s.mu.Lock()
	l := s.now()
	if slices.Contains(l.Silent, m.Kind()) {
		s.mu.Unlock()
		return
	}
	reply := s.decide(l, p, m)
	s.mu.Unlock()
	if reply == nil {
		return
	}
	if l.Slow <= 0 {
		s.send(l, m, reply)
		return
	}
	select {
	case s.late <- struct{}{}:
	default:
		return
	}
	s.tasks.Go(func() {
		defer func() { <-s.late }()
		if s.o.Clock.Sleep(s.ctx, l.Slow) == nil {
			s.send(l, m, reply)
		}
	})
}

// decide is the answer to a message, or nil (RFC 2131, section 4.3); s.mu is held.
func (s *Server) decide(l Leases, p *dhcpv4.DHCPv4, m Message) *dhcpv4.DHCPv4 {
	if len(s.leases) >= maxLeases {
		clear(s.leases)
	}
	switch m.Type {
	case "DISCOVER":
		a, ok := s.find(l, m.MAC, m.Requested)
		if !ok {
			return nil
		}
		s.leases[a] = lease{m.MAC, s.o.Clock.Passed() + offered}
		return l.reply(p, dhcpv4.MessageTypeOffer, a)
	case "REQUEST":
		return s.request(l, p, m)
	case "DECLINE":
		if !m.Requested.IsValid() {
			return nil
		}
		s.leases[m.Requested] = lease{"", s.o.Clock.Passed() + declined}
	case "RELEASE":
		if s.leases[m.Client].client == m.MAC {
			delete(s.leases, m.Client)
		}
	case "INFORM":
		return l.reply(p, dhcpv4.MessageTypeAck, netip.Addr{})
	}
	return nil
}

// request answers a REQUEST (RFC 2131, section 4.3.2). Like a router that is the only server of its network, it refuses what it does
// not know when it cannot be leased.
func (s *Server) request(l Leases, p *dhcpv4.DHCPv4, m Message) *dhcpv4.DHCPv4 {
	if m.Server.IsValid() && m.Server != l.Router.Addr() {
		return nil // it chose another server
	}
	a := m.Requested
	if !a.IsValid() {
		a = m.Client
	}
	if l.Refuse || !s.free(l, m.MAC, a) {
		return l.reply(p, dhcpv4.MessageTypeNak, netip.Addr{})
	}
	s.leases[a] = lease{m.MAC, s.o.Clock.Passed() + min(l.seconds(), 1000*time.Hour)}
	return l.reply(p, dhcpv4.MessageTypeAck, a)
}

// reply is an answer of a type, with the address that the client gets.
func (l Leases) reply(p *dhcpv4.DHCPv4, kind dhcpv4.MessageType, yours netip.Addr) *dhcpv4.DHCPv4 {
	r, err := dhcpv4.NewReplyFromRequest(p, dhcpv4.WithMessageType(kind))
	if err != nil {
		return nil
	}
	r.UpdateOption(dhcpv4.OptServerIdentifier(l.Router.Addr().AsSlice()))
	if kind == dhcpv4.MessageTypeNak {
		r.ClientIPAddr = net.IPv4zero
		return r
	}
	if yours.IsValid() {
		r.YourIPAddr = yours.AsSlice()
	}
	l.options(r, yours.IsValid())
	return r
}

// send sends an answer to whom it is for (RFC 2131, section 4.1).
func (s *Server) send(l Leases, m Message, r *dhcpv4.DHCPv4) {
	said := messageOf(r)
	b := r.ToBytes()
	s.note(evidence.Out, said.String(), len(b), said)
	from := netip.AddrPortFrom(l.Router.Addr(), ServerPort)
	switch {
	case said.Type != "NAK" && m.Client.IsValid():
		if _, err := s.o.Conn.WriteTo(b, net.UDPAddrFromAddrPort(netip.AddrPortFrom(m.Client, ClientPort))); err != nil {
			s.note(evidence.Seen, "the answer could not be sent: "+err.Error(), 0, nil)
		}
	case said.Type == "NAK" || m.Broadcast || !said.Yours.IsValid():
		s.o.Raw(net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, from, netip.AddrPortFrom(everybody, ClientPort), b)
	default:
		s.o.Raw(r.ClientHWAddr, from, netip.AddrPortFrom(said.Yours, ClientPort), b)
	}
}

func (s *Server) note(kind evidence.Kind, text string, size int, data any) {
	e := evidence.Event{Part: s.o.Part, Kind: kind, Text: "DHCP: " + text, Size: size}
	if m, ok := data.(Message); ok {
		e.Data = m
	}
	s.o.Log.Add(e)
}
