package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/shakedown-test/shakedown/link/frame"
)

// nat64Prefix is that in which IPv4 addresses stand for hosts of IPv6 only (RFC 6052, section 2.1).
var nat64Prefix = netip.MustParsePrefix("64:ff9b::/96")

// synthetic holds the IPv4 addresses that stand for inner hosts of IPv6 only while their packets pass the NAT; they are on no link (RFC
// 6890: IETF protocol assignments).
var synthetic = netip.MustParsePrefix("192.0.0.0/24")

func isSynthetic(a netip.Addr) bool { return synthetic.Contains(a) }

// nat64 is the translation between the IP versions (RFC 7915) in front of the NAT, together a stateful NAT64 (RFC 6146). The router's
// mutex guards it.
type nat64 struct {
	on    bool
	four  map[netip.Addr]netip.Addr // by IPv6 address
	six   map[netip.Addr]netip.Addr // the way back
	given byte
}

// NAT64 has the router reach IPv4 for hosts of IPv6 only, at 64:ff9b::/96. The DNS that gives such addresses is not its own.
func (r *Router) NAT64() (undo func()) {
	set := func(on bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.six.nat64 = nat64{on: on, four: map[netip.Addr]netip.Addr{}, six: map[netip.Addr]netip.Addr{}}
	}
	set(true)
	return r.impaired("translates from IPv6 to IPv4", func() { set(false) })
}

// stand is the IPv4 address that stands for an inner host. The oldest give way where there are too many.
func (n *nat64) stand(a netip.Addr) netip.Addr {
	if v4, ok := n.four[a]; ok {
		return v4
	}
	n.given++
	base := synthetic.Addr().As4()
	base[3] = n.given
	v4 := netip.AddrFrom4(base)
	delete(n.four, n.six[v4])
	n.four[a], n.six[v4] = v4, a
	return v4
}

// out64 sends an IPv6 packet on as one of IPv4.
func (r *Router) out64(p packet6) {
	r.mu.Lock()
	n := &r.six.nat64
	if !n.on || p.later || p.frame[20] == 44 || !r.six.prefix.Contains(p.src) {
		r.dropped["no translation to IPv4"]++
		r.mu.Unlock()
		return
	}
	src := n.stand(p.src)
	r.mu.Unlock()
	a := p.dst.As16()
	dst := netip.AddrFrom4([4]byte(a[12:]))
	body, proto := slices.Clone(p.body), p.proto
	switch proto {
	case TCP, UDP:
		at := map[Protocol]int{TCP: 16, UDP: 6}[proto]
		if checksum6(p.src, p.dst, proto, body) != 0 {
			return // corrupted, and to stay so
		}
		checksum4(src, dst, proto, body, at)
	case ICMPv6:
		echo := map[byte]byte{echoRequest6: 8, echoReply6: 0}
		kind, ok := echo[body[0]]
		if !ok || checksum6(p.src, p.dst, ICMPv6, body) != 0 {
			return
		}
		proto, body[0] = ICMP, kind
		body[2], body[3] = 0, 0
		binary.BigEndian.PutUint16(body[2:], frame.Checksum(body, 0))
	default:
		return
	}
	ip := []byte{0x45, 0, byte((20 + len(body)) >> 8), byte(20 + len(body)), 0, 0, 0x40, 0, p.frame[21] + 1, byte(proto), 0, 0}
	ip = slices.Concat(ip, src.AsSlice(), dst.AsSlice())
	frame.ChecksumIPv4(ip)
	if v4, ok := parse(slices.Concat(p.frame[:12], []byte{0x08, 0}, ip, body)); ok {
		r.out4(v4)
	}
}

// checksum4 makes the checksum of a transport over IPv4, which is at an offset of body.
func checksum4(src, dst netip.Addr, proto Protocol, body []byte, at int) {
	pseudo := slices.Concat(src.AsSlice(), dst.AsSlice(), []byte{0, byte(proto), byte(len(body) >> 8), byte(len(body))})
	body[at], body[at+1] = 0, 0
	sum := frame.Checksum(body, frame.Sum(pseudo))
	if sum == 0 && proto == UDP {
		sum = 0xffff
	}
	binary.BigEndian.PutUint16(body[at:], sum)
}

// deliver6 sends an IPv4 packet for a host of IPv6 only into the network.
func (r *Router) deliver6(p packet) {
	r.mu.Lock()
	dst, ok := r.six.nat64.six[p.dst]
	r.mu.Unlock()
	if !ok {
		return
	}
	base := nat64Prefix.Addr().As16()
	copy(base[12:], p.ip[12:16])
	src := netip.AddrFrom16(base)
	body, proto := slices.Clone(p.body()), p.proto
	switch {
	case !p.whole:
		return
	case proto == TCP, proto == UDP:
		at := map[Protocol]int{TCP: 16, UDP: 6}[proto]
		if none := proto == UDP && body[6]|body[7] == 0; !none && !p.sound() {
			return // corrupted, and to stay so
		}
		body[at], body[at+1] = 0, 0
		binary.BigEndian.PutUint16(body[at:], checksum6(src, dst, proto, body))
	case proto == ICMP && p.isError():
		if body, ok = r.error6(p, dst, src); !ok {
			return
		}
		proto = ICMPv6
	case proto == ICMP && (body[0] == 8 || body[0] == 0):
		proto = ICMPv6
		body[0] = map[byte]byte{8: echoRequest6, 0: echoReply6}[body[0]]
		body[2], body[3] = 0, 0
		binary.BigEndian.PutUint16(body[2:], checksum6(src, dst, ICMPv6, body))
	default:
		return
	}
	ip := []byte{0x60, 0, 0, 0, byte(len(body) >> 8), byte(len(body)), byte(proto), p.ip[8]}
	r.send6(slices.Concat(p.frame[:12], []byte{0x86, 0xDD}, ip, src.AsSlice(), dst.AsSlice(), body), dst)
}

// error6 is an ICMP error as one of ICMPv6 (RFC 7915, section 4.2), about a packet of inside.
func (r *Router) error6(p packet, inside, from netip.Addr) (icmp []byte, ok bool) {
	b := p.body()
	cited, src, dst, why := citedBy(p)
	if why != "" || cited.proto == ICMP {
		return nil, false
	}
	head := map[byte][]byte{3: {1, 0, 0, 0, 0, 0, 0, 0}, 11: {3, b[1], 0, 0, 0, 0, 0, 0}}[b[0]]
	switch {
	case head == nil:
		return nil, false
	case b[0] == 3 && b[1] == 4:
		head[0] = 2
		binary.BigEndian.PutUint32(head[4:], max(uint32(binary.BigEndian.Uint16(b[6:]))+20, 1280))
	case b[0] == 3 && b[1] == 3:
		head[1] = 4
	}
	base := nat64Prefix.Addr().As16()
	peer := cited.dst.As4()
	copy(base[12:], peer[:])
	ports := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, src), dst)
	ip := slices.Concat([]byte{0x60, 0, 0, 0, 0, 8, byte(cited.proto), 64}, inside.AsSlice(), base[:])
	rest := b[8:]
	rest = rest[min(cited.header+4, len(rest)):]
	icmp = slices.Concat(head, ip, ports, rest[:min(4, len(rest))])
	binary.BigEndian.PutUint16(icmp[2:], checksum6(from, inside, ICMPv6, icmp))
	return icmp, true
}
