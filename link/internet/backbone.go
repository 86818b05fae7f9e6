package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"

	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/link/frame"
)

// backboneMAC is the Ethernet address of the backbone on every link.
var backboneMAC = [6]byte{0x02, 0, 0, 0xba, 0xcb, 0x0e}

// BackboneV4 is the address from which the backbone sends ICMP.
var BackboneV4 = netip.MustParseAddr("192.0.2.1")

// Backbone is the rest of the internet: it takes IP packets to whom the address belongs. Everything attached is one hop away. It answers
// every ARP request and neighbour solicitation, so that whoever is attached reaches all addresses on its link. It is safe for concurrent
// use.
type Backbone struct {
	mu    sync.RWMutex
	hosts map[netip.Addr]*attached
	nets  []*attached // with prefixes that are routed to them
	rest  *attached   // takes TCP and UDP over IPv4 for whom nobody is; nil: nobody does
}

type attached struct {
	link  *frame.Link
	mac   [6]byte
	nets  []netip.Prefix
	guard link.Stack[*guard] // what stands before it
}

// Attach joins the far end of a link, behind which is a station with that Ethernet address. Own is where it can be reached: addresses
// as prefixes of full length, and networks behind it.
func (b *Backbone) Attach(l *frame.Link, mac [6]byte, own ...netip.Prefix) {
	a := &attached{link: l, mac: mac}
	b.mu.Lock()
	b.own(a, own)
	b.mu.Unlock()
	l.Far(func(f []byte) { b.forward(a, f) })
}

// Move changes what the station behind a link owns.
func (b *Backbone) Move(l *frame.Link, own ...netip.Prefix) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.nets, func(a *attached) bool { return a.link == l })
	if i < 0 {
		return
	}
	a := b.nets[i]
	for addr, at := range b.hosts {
		if at == a {
			delete(b.hosts, addr)
		}
	}
	b.nets = slices.DeleteFunc(b.nets, func(o *attached) bool { return o == a })
	b.own(a, own)
}

// own notes what a owns; b.mu is held.
func (b *Backbone) own(a *attached, own []netip.Prefix) {
	if b.hosts == nil {
		b.hosts = map[netip.Addr]*attached{}
	}
	a.nets = nil
	for _, p := range own {
		if p.IsSingleIP() {
			b.hosts[p.Addr()] = a
			continue
		}
		a.nets = append(a.nets, p)
	}
	b.nets = append(b.nets, a)
}

// find is who owns an address; nil: nobody.
func (b *Backbone) find(addr netip.Addr) *attached {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if a := b.hosts[addr]; a != nil {
		return a
	}
	for _, a := range b.nets {
		for _, p := range a.nets {
			if p.Contains(addr) {
				return a
			}
		}
	}
	return nil
}

// findOrRest is find for a packet of a protocol over IPv4, or who takes what is for nobody.
func (b *Backbone) findOrRest(addr netip.Addr, protocol byte) *attached {
	if a := b.find(addr); a != nil || Protocol(protocol) != TCP && Protocol(protocol) != UDP {
		return a
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.rest
}

// station is what is attached at a link; nil: nothing.
func (b *Backbone) station(l *frame.Link) *attached {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, a := range b.nets {
		if a.link == l {
			return a
		}
	}
	return nil
}

// forward takes a packet to its receiver.
func (b *Backbone) forward(from *attached, f []byte) {
	if len(f) < 14 {
		return
	}
	var to *attached
	switch binary.BigEndian.Uint16(f[12:]) {
	case 0x0806:
		if reply := arpReply(f, backboneMAC, netip.Addr{}); reply != nil {
			from.link.SendDown(reply)
		}
		return
	case 0x0800:
		if len(f) < 34 || f[22] < 2 {
			return
		}
		age4(f[14:])
		if g, ok := from.guard.Top(); ok {
			if to, ok = g.decide(from, f); !ok {
				return
			}
		}
		if to == nil {
			to = b.findOrRest(netip.AddrFrom4([4]byte(f[30:34])), f[23])
		}
	case 0x86DD:
		if reply := advertisement(f); reply != nil {
			from.link.SendDown(reply)
			return
		}
		if _, guarded := from.guard.Top(); guarded || len(f) < 54 || f[21] < 2 {
			return
		}
		to = b.find(netip.AddrFrom16([16]byte(f[38:54])))
		f[21]--
	}
	if to == nil || to == from {
		return
	}
	copy(f, to.mac[:])
	copy(f[6:], backboneMAC[:])
	to.link.SendDown(f)
}

// age4 takes one from the time to live of an IPv4 packet, and mends its checksum (RFC 1624).
func age4(ip []byte) {
	ip[8]--
	sum := uint32(binary.BigEndian.Uint16(ip[10:])) + 0x100
	binary.BigEndian.PutUint16(ip[10:], uint16(sum+sum>>16))
}

// arpReply says that the station with that Ethernet address is whom the request asks for, if it is asked for its address, or, without
// one, for any. Who asks for itself is not answered (RFC 5227, section 2.1: a probe).
func arpReply(f []byte, mac [6]byte, address netip.Addr) []byte {
	const request, reply = 1, 2
	if len(f) < 42 || binary.BigEndian.Uint16(f[20:]) != request || [4]byte(f[28:32]) == [4]byte(f[38:42]) {
		return nil
	}
	asker, target := netip.AddrFrom4([4]byte(f[28:32])), netip.AddrFrom4([4]byte(f[38:42]))
	if address.IsValid() && address != target || !address.IsValid() && asker.IsUnspecified() {
		return nil
	}
	return arpMessage(reply, mac, target, [6]byte(f[22:28]), asker)
}

// arpMessage is an ARP message over Ethernet (RFC 826). A request goes to everybody, as does a reply to nobody.
func arpMessage(op byte, fromMAC [6]byte, from netip.Addr, toMAC [6]byte, to netip.Addr) []byte {
	f := make([]byte, 0, 42)
	target := toMAC[:]
	if toMAC == [6]byte{} {
		target = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	f = append(append(f, target...), fromMAC[:]...)
	f = append(f, 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, op)
	f = append(append(f, fromMAC[:]...), from.AsSlice()...)
	return append(append(f, toMAC[:]...), to.AsSlice()...)
}

// advertisement answers a neighbour solicitation (RFC 4861, section 4.4), unless it is one for duplicate address detection.
func advertisement(f []byte) []byte {
	const solicitation, advertised = 135, 136
	if len(f) < 14+40+24 || f[20] != 58 || f[54] != solicitation {
		return nil
	}
	source, target := netip.AddrFrom16([16]byte(f[22:38])), f[62:78]
	if source.IsUnspecified() {
		return nil
	}
	icmp := slices.Concat([]byte{advertised, 0, 0, 0, 0x60, 0, 0, 0}, target, []byte{2, 1}, backboneMAC[:])
	ip := []byte{0x60, 0, 0, 0, 0, byte(len(icmp)), 58, 255}
	ip = slices.Concat(ip, target, f[22:38])
	frame.ChecksumICMPv6(ip, icmp)
	return slices.Concat(f[6:12], backboneMAC[:], []byte{0x86, 0xDD}, ip, icmp)
}
