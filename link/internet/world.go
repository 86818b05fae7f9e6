package internet

import (
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Config describes a world. The zero value but for the clock is one home network behind a friendly router.
type Config struct {
	Clock    *clock.Clock
	Log      *evidence.Log // nil: nothing is logged
	Seed     uint64
	Networks []Network // none: one
}

// Network describes a network behind a router.
type Network struct {
	Name   string       // empty: "home"
	Prefix netip.Prefix // of the router's address; zero: 192.168.N.1/24, N from 1
	NAT    NAT
	Behind string // the network that the router's other side is in, for NAT behind NAT; empty: the backbone
}

// World is an internet. It is safe for concurrent use.
type World struct {
	Servers *Host // on the backbone; it has the addresses that Name gives out

	cfg      Config
	backbone Backbone
	links    []*frame.Link
	segments []*Segment

	mu    sync.Mutex
	named map[string]netip.Addr
	next  netip.Addr

	anybodies []*anybody
}

// Segment is a network of a world: a switch with a router.
type Segment struct {
	Name   string
	Router *Router
	Uplink *frame.Link // up is from the router to the internet
	Switch *Switch

	world   *World
	mu      sync.Mutex
	next    netip.Addr
	hosts   []*Host
	station int
}

// Where addresses begin.
var (
	firstServer = netip.MustParseAddr("203.0.113.10")
	firstWAN    = netip.MustParseAddr("198.51.100.10")
	serverMAC   = [6]byte{0x02, 0, 0, 0x5e, 0x44, 0x01}
)

// Open makes a world. Close ends it.
func Open(cfg Config) (w *World, err error) {
	if len(cfg.Networks) == 0 {
		cfg.Networks = []Network{{}}
	}
	w = &World{cfg: cfg, named: map[string]netip.Addr{}, next: firstServer}
	defer func() {
		if err != nil {
			w.Close()
			w, err = nil, fmt.Errorf("open world: %w", err)
		}
	}()
	l := w.link("servers")
	w.backbone.Attach(l, serverMAC)
	if w.Servers, err = NewHost(cfg.Clock, l, net.HardwareAddr(serverMAC[:]), cfg.Seed); err != nil {
		return w, err
	}
	wan := firstWAN
	for i, n := range cfg.Networks {
		if n.Name == "" {
			n.Name = "home"
		}
		if !n.Prefix.IsValid() {
			n.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, byte(i + 1), 1}), 24)
		}
		if err := w.add(n, wan); err != nil {
			return w, err
		}
		wan = wan.Next()
	}
	return w, nil
}

// link makes a link of this world with a seed of its own.
func (w *World) link(name string) *frame.Link {
	l := frame.New(frame.Options{Name: name, Clock: w.cfg.Clock, Log: w.cfg.Log, Seed: w.cfg.Seed + uint64(len(w.links))*0x9e3779b97f4a7c15})
	w.links = append(w.links, l)
	return l
}

// add makes a network and its router.
func (w *World) add(n Network, wan netip.Addr) error {
	s := &Segment{Name: n.Name, Switch: &Switch{}, Uplink: w.link(n.Name + " uplink"), world: w}
	s.next = firstStation(n.Prefix)
	inside := w.link(n.Name + " router")
	s.Switch.Join(inside)
	r := routing{
		name: n.Name + " router", clock: w.cfg.Clock, log: w.cfg.Log, seed: w.cfg.Seed + uint64(len(w.segments)),
		lan: n.Prefix, wan: wan, nat: n.NAT, inside: inside, outside: s.Uplink, nextHop: backboneMAC,
	}
	mac := macOf(n.Prefix.Addr())
	if n.Behind == "" {
		w.backbone.Attach(s.Uplink, mac)
	} else {
		before := w.Segment(n.Behind)
		if before == nil {
			return fmt.Errorf("network %s is behind %q, which is not there before it", n.Name, n.Behind)
		}
		before.Switch.Join(s.Uplink)
		r.wan, r.nextHop = before.Address().Addr(), [6]byte(before.Router.MAC())
	}
	var err error
	if s.Router, err = newRouter(r); err != nil {
		return err
	}
	w.own(s)
	w.segments = append(w.segments, s)
	return nil
}

// own tells the backbone what it sends to the router of a network, if that is attached to it.
func (w *World) own(s *Segment) {
	r := s.Router
	r.mu.Lock()
	own := []netip.Prefix{netip.PrefixFrom(r.wan, r.wan.BitLen())}
	if r.o.nat.Off {
		own = append(own, r.o.lan.Masked())
	}
	if r.six.prefix.IsValid() {
		own = append(own, r.six.prefix)
	}
	r.mu.Unlock()
	w.backbone.Move(s.Uplink, own...)
}

// Home is the first network.
func (w *World) Home() *Segment { return w.segments[0] }

// Segment is the network of a name, or nil.
func (w *World) Segment(name string) *Segment {
	for _, s := range w.segments {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Name gives a name an address on Servers, the same whenever it is asked. It is for DNS to tell; nothing resolves it by itself.
func (w *World) Name(name string) (netip.Addr, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a, ok := w.named[name]; ok {
		return a, nil
	}
	a := w.next
	if err := w.serve(a); err != nil {
		return a, fmt.Errorf("name %s: %w", name, err)
	}
	w.named[name], w.next = a, a.Next()
	return a, nil
}

// Serve gives Servers another address, such as that of a well-known resolver.
func (w *World) Serve(a netip.Addr) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.serve(a)
}

func (w *World) serve(a netip.Addr) error {
	if err := w.Servers.Add(netip.PrefixFrom(a, a.BitLen())); err != nil {
		return err
	}
	var own []netip.Prefix
	own = append(own, w.Servers.Addresses()...)
	w.backbone.Move(w.links[0], own...)
	w.Servers.RouteAll()
	return nil
}

// Readdress gives the router of a network on the backbone another address to the internet; every mapping is lost.
func (w *World) Readdress(s *Segment, wan netip.Addr) {
	s.Router.readdress(wan)
	w.own(s)
}

// Renumber gives a network other addresses, by that of its router: stations that were in it are not served any more until they have an
// address of the new one. Undo goes back.
func (w *World) Renumber(s *Segment, lan netip.Prefix) (undo func(), err error) {
	was := s.Router.LAN()
	if err := s.renumber(lan); err != nil {
		return nil, fmt.Errorf("renumber network %s: %w", s.Name, err)
	}
	w.own(s)
	return sync.OnceFunc(func() {
		if s.renumber(was) == nil { // it had this address before
			w.own(s)
		}
	}), nil
}

// Delegate gives a network an IPv6 prefix of 64 bits, which its router advertises, in place of the one it had; the zero prefix takes
// that away without a word. Only networks on the backbone can have one.
func (w *World) Delegate(s *Segment, p netip.Prefix) error {
	if err := s.Router.delegate(p); err != nil {
		return fmt.Errorf("delegate %s to network %s: %w", p, s.Name, err)
	}
	w.own(s)
	return nil
}

// Close ends all that is in the world.
func (w *World) Close() {
	w.mu.Lock()
	stands := w.anybodies
	w.mu.Unlock()
	for _, a := range stands {
		a.close()
	}
	for _, s := range w.segments {
		s.mu.Lock()
		hosts := s.hosts
		s.hosts = nil
		s.mu.Unlock()
		for _, h := range hosts {
			h.Close()
		}
		s.Router.close()
	}
	if w.Servers != nil {
		w.Servers.Close()
	}
	for _, l := range w.links {
		l.Close()
	}
}

// renumber gives the router and new stations other addresses.
func (s *Segment) renumber(lan netip.Prefix) error {
	if err := s.Router.renumber(lan); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = firstStation(lan)
	return nil
}

// firstStation is .10 where the router is .1.
func firstStation(lan netip.Prefix) netip.Addr {
	a := lan.Addr()
	for range 9 {
		a = a.Next()
	}
	return a
}

// Address is one that no station of the network has yet, as a DHCP server would lease it.
func (s *Segment) Address() netip.Prefix {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.next
	s.next = a.Next()
	return netip.PrefixFrom(a, s.Router.LAN().Bits())
}

// Station joins the far end of a new link to the network: what moves frames at its near end is a station.
func (s *Segment) Station(name string) *frame.Link {
	s.world.mu.Lock()
	l := s.world.link(name)
	s.world.mu.Unlock()
	s.Switch.Join(l)
	return l
}

// Host joins a host of this process to the network, with an address and the router as its default route.
func (s *Segment) Host(name string) (*Host, *frame.Link, error) {
	h, l, err := s.BareHost(name)
	if err != nil {
		return nil, nil, err
	}
	if err := h.Add(s.Address()); err != nil {
		return nil, nil, err
	}
	h.Route(s.Router.LAN().Addr())
	return h, l, nil
}

// BareHost joins a host without an address.
func (s *Segment) BareHost(name string) (*Host, *frame.Link, error) {
	s.mu.Lock()
	s.station++
	mac := net.HardwareAddr{0x02, 0x02, 0, 0, byte(s.station >> 8), byte(s.station)}
	s.mu.Unlock()
	l := s.Station(name)
	h, err := NewHost(s.world.cfg.Clock, l, mac, s.world.cfg.Seed+uint64(s.station)<<8)
	if err != nil {
		return nil, nil, fmt.Errorf("join %s to %s: %w", name, s.Name, err)
	}
	s.mu.Lock()
	s.hosts = append(s.hosts, h)
	s.mu.Unlock()
	return h, l, nil
}
