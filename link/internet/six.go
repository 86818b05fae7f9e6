package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// routerLocal is the link-local address of every router.
var routerLocal = netip.MustParseAddr("fe80::1")

// Advertisement is what a router tells the stations of its network (RFC 4861, section 4.2). A lifetime of 0 withdraws what it is about.
type Advertisement struct {
	Prefix    netip.Prefix
	Valid     time.Duration
	Preferred time.Duration
	Router    time.Duration // how long it is a default router
	DNS       []netip.Addr  // RFC 8106
	Every     time.Duration // pause between two that nobody asked for; 0: 200 s
}

// six is what a router does for IPv6. The router's mutex guards it.
type six struct {
	prefix netip.Prefix
	local  bool // the router's host has its link-local address
	flows  map[flow]time.Duration
	open   bool // the firewall lets everybody in
	nat64  nat64
	off4   bool // IPv4 is not forwarded

	says  *Advertisement
	timer *time.Timer
}

// flow is a conversation that began inside.
type flow struct {
	proto         Protocol
	inside, outer netip.AddrPort
}

// ICMPv6 by its IP protocol number, and the types of its messages (RFC 4443, RFC 4861).
const (
	ICMPv6 Protocol = 58

	echoRequest6       = 128
	echoReply6         = 129
	routerSolicitation = 133
	routerAdvert       = 134
	neighbourSolicit   = 135
	neighbourAdvert    = 136
)

// maxFlows bounds what the firewall remembers.
const maxFlows = 4096

func (s *six) close() {
	if s.timer != nil {
		s.timer.Stop()
	}
}

// delegate makes p the prefix of the network, with lifetimes as RFC 4861 recommends, and says so.
func (r *Router) delegate(p netip.Prefix) error {
	r.mu.Lock()
	was, local := r.six.prefix, r.six.local
	r.six.prefix, r.six.local, r.six.flows = p.Masked(), true, map[flow]time.Duration{}
	r.mu.Unlock()
	if !local {
		if err := r.Host.Add(netip.PrefixFrom(routerLocal, 64)); err != nil {
			return err
		}
	}
	if was.IsValid() {
		if err := r.Host.Remove(netip.PrefixFrom(was.Addr().Next(), 64)); err != nil {
			return err
		}
	}
	if !p.IsValid() {
		r.say(nil)
		return nil
	}
	own := netip.PrefixFrom(p.Masked().Addr().Next(), 64)
	if err := r.Host.Add(own); err != nil {
		return err
	}
	r.Host.Route()
	r.say(&Advertisement{Prefix: p.Masked(), Valid: 30 * 24 * time.Hour, Preferred: 7 * 24 * time.Hour, Router: 30 * time.Minute, DNS: []netip.Addr{own.Addr()}})
	return nil
}

// Prefix is the IPv6 prefix of the network; invalid: it has none.
func (r *Router) Prefix() netip.Prefix {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.six.prefix
}

// Advertises is what the router tells now; false: nothing.
func (r *Router) Advertises() (a Advertisement, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.six.says == nil {
		return a, false
	}
	return *r.six.says, true
}

// Advertise has the router tell something else from now on, nil: nothing, as one that lost its IPv6 does. Undo goes back.
func (r *Router) Advertise(a *Advertisement) (undo func()) {
	was := r.say(a)
	return r.impaired("advertises something else", func() { r.say(was) })
}

// Firewall says whether conversations over IPv6 may begin outside; they may not unless open.
func (r *Router) Firewall(open bool) (undo func()) {
	set := func(v bool) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		was := r.six.open
		r.six.open = v
		return was
	}
	was := set(open)
	return func() { set(was) }
}

// Without4 stops the forwarding of IPv4: the network is one of IPv6 only.
func (r *Router) Without4() (undo func()) {
	set := func(v bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.six.off4 = v
	}
	set(true)
	return r.impaired("forwards no IPv4", func() { set(false) })
}

// say changes what is told, and tells it.
func (r *Router) say(a *Advertisement) (was *Advertisement) {
	r.mu.Lock()
	was, r.six.says = r.six.says, a
	r.six.close()
	r.mu.Unlock()
	r.advertise()
	return was
}

// advertise tells everybody, and again after a while.
func (r *Router) advertise() {
	r.mu.Lock()
	a, down := r.six.says, r.down
	if a == nil {
		r.mu.Unlock()
		return
	}
	every := a.Every
	if every == 0 {
		every = 200 * time.Second
	}
	r.six.close()
	r.six.timer = r.o.clock.AfterFunc(every, r.advertise)
	f := a.frame(r.mac)
	r.mu.Unlock()
	if !down {
		r.o.inside.SendUp(f)
	}
}

// frame is the message to all nodes.
func (a *Advertisement) frame(mac [6]byte) []byte {
	icmp := []byte{routerAdvert, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint16(icmp[6:], uint16(min(a.Router/time.Second, 0xffff)))
	icmp = slices.Concat(icmp, []byte{1, 1}, mac[:])
	if a.Prefix.IsValid() {
		icmp = append(icmp, 3, 4, byte(a.Prefix.Bits()), 0xC0)
		icmp = binary.BigEndian.AppendUint32(icmp, uint32(min(a.Valid/time.Second, 0xffffffff)))
		icmp = binary.BigEndian.AppendUint32(icmp, uint32(min(a.Preferred/time.Second, 0xffffffff)))
		icmp = slices.Concat(icmp, []byte{0, 0, 0, 0}, a.Prefix.Addr().AsSlice())
	}
	if len(a.DNS) > 0 {
		icmp = append(icmp, 25, byte(1+2*len(a.DNS)), 0, 0)
		icmp = binary.BigEndian.AppendUint32(icmp, uint32(min(a.Router/time.Second, 0xffffffff)))
		for _, d := range a.DNS {
			icmp = append(icmp, d.AsSlice()...)
		}
	}
	return frame6([6]byte{0x33, 0x33, 0, 0, 0, 1}, mac, routerLocal, netip.MustParseAddr("ff02::1"), icmp)
}

// frame6 is an ICMPv6 message of link scope, with its checksum made.
func frame6(to, from [6]byte, src, dst netip.Addr, icmp []byte) []byte {
	ip := []byte{0x60, 0, 0, 0, byte(len(icmp) >> 8), byte(len(icmp)), byte(ICMPv6), 255}
	ip = slices.Concat(ip, src.AsSlice(), dst.AsSlice())
	icmp[2], icmp[3] = 0, 0
	frame.ChecksumICMPv6(ip, icmp)
	return slices.Concat(to[:], from[:], []byte{0x86, 0xDD}, ip, icmp)
}

// asRouter has a neighbour advertisement say that its sender is a router, which the router's own host does not say of itself (RFC 4861,
// section 4.4). A station that reads otherwise no longer takes it for one (section 7.3.3): Linux has no way out from then on.
func asRouter(f []byte) []byte {
	const icmp = 14 + 40
	if len(f) >= icmp+24 && f[12] == 0x86 && f[13] == 0xDD && f[20] == byte(ICMPv6) && f[icmp] == neighbourAdvert {
		f[icmp+4] |= 0x80
		frame.ChecksumICMPv6(f[14:icmp], f[icmp:])
	}
	return f
}

// solicit asks who has an address (RFC 4861, section 4.3).
func solicit(mac [6]byte, target netip.Addr) []byte {
	t := target.As16()
	group := netip.AddrFrom16([16]byte{0xff, 2, 11: 1, 12: 0xff, 13: t[13], 14: t[14], 15: t[15]})
	icmp := slices.Concat([]byte{neighbourSolicit, 0, 0, 0, 0, 0, 0, 0}, t[:], []byte{1, 1}, mac[:])
	return frame6([6]byte{0x33, 0x33, 0xff, t[13], t[14], t[15]}, mac, routerLocal, group, icmp)
}
