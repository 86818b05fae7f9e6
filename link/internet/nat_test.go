package internet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// bench is a router between two links whose ends the test holds, with a time that the test sets.
type bench struct {
	*Router
	t           *testing.T
	now         time.Duration
	inside, out *frame.Link
	toIn, toOut [][]byte
}

var (
	insideMAC = [6]byte{0x02, 0x02, 0, 0, 0, 1}
	innerAt   = netip.MustParseAddrPort("192.168.1.10:5000")
	peerA     = netip.MustParseAddrPort("203.0.113.10:1111")
	peerA2    = netip.MustParseAddrPort("203.0.113.10:2222")
	peerB     = netip.MustParseAddrPort("203.0.113.20:1111")
	wanAddr   = netip.MustParseAddr("198.51.100.10")
)

func newBench(t *testing.T, nat NAT) *bench {
	clk := clock.New(1)
	b := &bench{t: t, inside: frame.New(frame.Options{Clock: clk}), out: frame.New(frame.Options{Clock: clk})}
	r, err := newRouter(routing{
		name: "router", clock: clk, lan: netip.MustParsePrefix("192.168.1.1/24"), wan: wanAddr, nat: nat,
		inside: b.inside, outside: b.out, nextHop: backboneMAC,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Router = r
	b.tick()
	b.inside.Far(func(f []byte) { b.toIn = append(b.toIn, f) })
	b.out.Far(func(f []byte) { b.toOut = append(b.toOut, f) })
	t.Cleanup(func() { r.close(); b.inside.Close(); b.out.Close() })
	return b
}

// tick makes the mappings live by the test's time, after everything that loses them.
func (b *bench) tick() { b.table.now = func() time.Duration { return b.now } }

// leave sends a frame from inside and returns what came out of the other side, and what went back.
func (b *bench) leave(f []byte) (out, back *packet) {
	b.t.Helper()
	b.toIn, b.toOut = nil, nil
	copy(f, b.mac[:])
	copy(f[6:], insideMAC[:])
	b.inside.SendDown(f)
	return b.one(b.toOut), b.one(b.toIn)
}

// enter sends a frame from outside and returns what came inside.
func (b *bench) enter(f []byte) (in *packet) {
	b.t.Helper()
	b.toIn, b.toOut = nil, nil
	copy(f, b.outer[:])
	copy(f[6:], backboneMAC[:])
	b.out.SendDown(f)
	return b.one(b.toIn)
}

// one is the IPv4 packet of the only frame, whose checksums are right, or nil.
func (b *bench) one(frames [][]byte) *packet {
	b.t.Helper()
	if len(frames) == 0 {
		return nil
	}
	p, ok := parse(frames[0])
	if !ok {
		return nil
	}
	if frame.Checksum(p.ip[:p.header], 0) != 0 {
		b.t.Errorf("the checksum of an IP header is wrong")
	}
	if p.whole && (p.proto == TCP || p.proto == UDP) && !p.sound() || p.whole && p.proto == ICMP && frame.Checksum(p.body(), 0) != 0 {
		b.t.Errorf("the checksum of %s is wrong", p.proto)
	}
	return &p
}

func (p *packet) from() netip.AddrPort { s, _, _ := p.ports(); return netip.AddrPortFrom(p.src, s) }
func (p *packet) to() netip.AddrPort   { _, d, _ := p.ports(); return netip.AddrPortFrom(p.dst, d) }

func udpOf(src, dst netip.AddrPort) []byte {
	return UDPFrame(insideMAC[:], insideMAC[:], src, dst, []byte("0123456789abcdef"))
}

func tcpOf(src, dst netip.AddrPort, flags byte) []byte {
	b := make([]byte, 20)
	binary.BigEndian.PutUint16(b, src.Port())
	binary.BigEndian.PutUint16(b[2:], dst.Port())
	binary.BigEndian.PutUint32(b[4:], 1000)
	binary.BigEndian.PutUint32(b[8:], 2000)
	b[12], b[13] = 0x50, flags
	checksum4(src.Addr(), dst.Addr(), TCP, b, 16)
	return ipOf(src.Addr(), dst.Addr(), TCP, b)
}

func icmpOf(src, dst netip.Addr, kind, code byte, rest []byte) []byte {
	b := slices.Concat([]byte{kind, code, 0, 0}, rest)
	binary.BigEndian.PutUint16(b[2:], frame.Checksum(b, 0))
	return ipOf(src, dst, ICMP, b)
}

func echoOf(src, dst netip.Addr, kind byte, id uint16) []byte {
	return icmpOf(src, dst, kind, 0, []byte{byte(id >> 8), byte(id), 0, 1, 'p', 'i', 'n', 'g'})
}

func ipOf(src, dst netip.Addr, proto Protocol, body []byte) []byte {
	ip := []byte{0x45, 0, byte((20 + len(body)) >> 8), byte(20 + len(body)), 0, 77, 0, 0, 64, byte(proto), 0, 0}
	ip = slices.Concat(ip, src.AsSlice(), dst.AsSlice())
	frame.ChecksumIPv4(ip)
	return slices.Concat(make([]byte, 12), []byte{0x08, 0}, ip, body)
}

// RFC 4787, section 4.1.
func TestMapping(t *testing.T) {
	for behaviour, want := range map[Behaviour][2]bool{ // same outer port for another port of the peer, for another peer
		EndpointIndependent: {true, true}, AddressDependent: {true, false}, AddressAndPortDependent: {false, false},
	} {
		b := newBench(t, NAT{Mapping: behaviour})
		first, _ := b.leave(udpOf(innerAt, peerA))
		if first == nil || first.src != wanAddr || first.to() != peerA {
			t.Fatalf("%s: %+v", behaviour, first)
		}
		if first.from().Port() != innerAt.Port() {
			t.Errorf("%s: the inner port was not preserved", behaviour)
		}
		port, _ := b.leave(udpOf(innerAt, peerA2))
		peer, _ := b.leave(udpOf(innerAt, peerB))
		if got := [2]bool{port.from() == first.from(), peer.from() == first.from()}; got != want {
			t.Errorf("%s: same outer port for another port, another peer: %v, want %v", behaviour, got, want)
		}
		other, _ := b.leave(udpOf(netip.MustParseAddrPort("192.168.1.11:5000"), peerA))
		if other.from() == first.from() {
			t.Errorf("%s: two inner hosts share an outer port", behaviour)
		}
	}
}

// RFC 4787, section 5.
func TestFiltering(t *testing.T) {
	for behaviour, want := range map[Behaviour][2]bool{
		EndpointIndependent: {true, true}, AddressDependent: {true, false}, AddressAndPortDependent: {false, false},
	} {
		b := newBench(t, NAT{Filtering: &behaviour, NoPreserve: true})
		out, _ := b.leave(udpOf(innerAt, peerA))
		if in := b.enter(udpOf(peerA, out.from())); in == nil || in.to() != innerAt {
			t.Errorf("%s: the answer does not come in: %+v", behaviour, in)
		}
		got := [2]bool{b.enter(udpOf(peerA2, out.from())) != nil, b.enter(udpOf(peerB, out.from())) != nil}
		if got != want {
			t.Errorf("%s: lets in another port, another peer: %v, want %v", behaviour, got, want)
		}
	}
}

func TestTimers(t *testing.T) {
	nat := NAT{UDP: 30 * time.Second, TCP: time.Hour, Brief: time.Minute}
	t.Run("UDP is refreshed from inside only", func(t *testing.T) {
		b := newBench(t, nat)
		out, _ := b.leave(udpOf(innerAt, peerA))
		for range 3 {
			b.now += 20 * time.Second
			b.leave(udpOf(innerAt, peerA))
		}
		b.now += 20 * time.Second
		if b.enter(udpOf(peerA, out.from())) == nil {
			t.Error("the mapping was lost in use")
		}
		b.now += 20 * time.Second
		if b.enter(udpOf(peerA, out.from())) != nil {
			t.Error("what came in kept the mapping alive")
		}
	})
	for name, c := range map[string]struct {
		handshake, ended bool
		life             time.Duration
	}{
		"TCP opening": {life: time.Minute}, "TCP established": {handshake: true, life: time.Hour}, "TCP closing": {handshake: true, ended: true, life: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			for _, late := range []bool{false, true} {
				b := newBench(t, nat)
				out, _ := b.leave(tcpOf(innerAt, peerA, syn))
				if c.handshake {
					b.enter(tcpOf(peerA, out.from(), syn|ack))
					b.leave(tcpOf(innerAt, peerA, ack))
				}
				if c.ended {
					b.enter(tcpOf(peerA, out.from(), fin|ack))
				}
				b.now += c.life
				if late {
					b.now += time.Second
				}
				if got := b.enter(tcpOf(peerA, out.from(), ack)) != nil; got == late {
					t.Errorf("after %s it lets in: %t", b.now, got)
				}
			}
		})
	}
	t.Run("anew", func(t *testing.T) {
		b := newBench(t, nat)
		out, _ := b.leave(tcpOf(innerAt, peerA, syn))
		b.enter(tcpOf(peerA, out.from(), rst|ack))
		b.leave(tcpOf(innerAt, peerA, syn))
		b.enter(tcpOf(peerA, out.from(), syn|ack))
		b.now += 2 * time.Minute
		if b.enter(tcpOf(peerA, out.from(), ack)) == nil {
			t.Error("a second connection from the same port was taken for one that ends")
		}
	})
}

// What becomes of connections that the router forgot.
func TestLost(t *testing.T) {
	for lost, name := range map[Lost]string{Dropped: "dropped", WithRST: "RST", Remapped: "remapped"} {
		b := newBench(t, NAT{Lost: lost, NoPreserve: true})
		first, _ := b.leave(tcpOf(innerAt, peerA, syn))
		b.enter(tcpOf(peerA, first.from(), syn|ack))
		b.Forget()
		b.tick()
		if b.enter(tcpOf(peerA, first.from(), ack)) != nil {
			t.Errorf("%s: a segment comes in", name)
		}
		out, back := b.leave(tcpOf(innerAt, peerA, ack))
		switch lost {
		case Dropped:
			if out != nil || back != nil {
				t.Errorf("dropped: %v %v", out, back)
			}
		case WithRST:
			if out != nil || back == nil || back.flags() != rst || back.from() != peerA || back.to() != innerAt {
				t.Errorf("RST: %v %+v", out, back)
			} else if seq := binary.BigEndian.Uint32(back.body()[4:]); seq != 2000 {
				t.Errorf("RST: sequence number %d, want what was acknowledged", seq)
			}
			if _, back := b.leave(tcpOf(innerAt, peerA, rst)); back != nil {
				t.Error("RST: a RST is answered")
			}
		case Remapped:
			if out == nil || back != nil {
				t.Errorf("remapped: %v %v", out, back)
			}
		}
	}
}

func TestEcho(t *testing.T) {
	b := newBench(t, NAT{NoPreserve: true})
	out, _ := b.leave(echoOf(innerAt.Addr(), peerA.Addr(), 8, 7))
	id, _, _ := out.ports()
	if out.src != wanAddr {
		t.Fatalf("%+v", out)
	}
	in := b.enter(echoOf(peerA.Addr(), wanAddr, 0, id))
	if in == nil || in.dst != innerAt.Addr() {
		t.Fatalf("the answer does not come in: %+v", in)
	}
	if got, _, _ := in.ports(); got != 7 {
		t.Errorf("identifier %d, want 7", got)
	}
	if b.enter(echoOf(peerB.Addr(), wanAddr, 0, id)) != nil {
		t.Error("an answer of someone else comes in")
	}
}

// RFC 5508, section 4.2: errors are translated with what they cite, and keep no mapping alive.
func TestErrors(t *testing.T) {
	b := newBench(t, NAT{NoPreserve: true})
	out, _ := b.leave(udpOf(innerAt, peerA))
	cited := slices.Concat([]byte{0, 0, 0, 0}, out.ip[:28])
	router := netip.MustParseAddr("203.0.113.99")
	b.now += 4 * time.Minute
	in := b.enter(icmpOf(router, wanAddr, 3, 1, cited))
	if in == nil || in.src != router || in.dst != innerAt.Addr() {
		t.Fatalf("unreachable: %+v", in)
	}
	was, ok := parse(slices.Concat(in.frame[:14], whole(in.body()[8:])))
	if !ok || was.from() != innerAt || was.to() != peerA {
		t.Errorf("it cites %s to %s", was.from(), was.to())
	}
	if want := udpOf(innerAt, peerA)[14+20+6 : 14+20+8]; !slices.Equal(in.body()[8+26:8+28], want) {
		t.Errorf("the checksum of the cited UDP header is %x, want %x", in.body()[8+26:8+28], want)
	}
	if b.enter(icmpOf(router, wanAddr, 5, 1, cited)) != nil {
		t.Error("a redirect comes in")
	}
	bad := icmpOf(router, wanAddr, 3, 1, cited)
	bad[14+20+2] ^= 1
	if b.enter(bad) != nil {
		t.Error("an error with a wrong checksum comes in")
	}
	b.now += 2 * time.Minute
	if b.enter(icmpOf(router, wanAddr, 3, 1, cited)) != nil {
		t.Error("an error kept the mapping alive")
	}

	out, _ = b.leave(udpOf(innerAt, peerA))
	in = b.enter(udpOf(peerA, out.from()))
	back, _ := b.leave(icmpOf(innerAt.Addr(), peerA.Addr(), 3, 3, slices.Concat([]byte{0, 0, 0, 0}, in.ip[:28])))
	if back == nil || back.src != wanAddr {
		t.Fatalf("an error from inside: %+v", back)
	}
	was, _ = parse(slices.Concat(back.frame[:14], whole(back.body()[8:])))
	if was.from() != peerA || was.to() != out.from() {
		t.Errorf("it cites %s to %s, want %s to %s", was.from(), was.to(), peerA, out.from())
	}
}

func TestTimeToLive(t *testing.T) {
	b := newBench(t, NAT{})
	f := udpOf(innerAt, peerA)
	f[14+8] = 1
	frame.ChecksumIPv4(f[14:34])
	if out, back := b.leave(f); out != nil || back == nil || back.proto != ICMP || back.body()[0] != 11 || back.dst != innerAt.Addr() {
		t.Errorf("%v %+v", out, back)
	}
	out, _ := b.leave(udpOf(innerAt, peerA))
	if out.ip[8] != 63 {
		t.Errorf("time to live %d, want 63", out.ip[8])
	}
}

// fragmentsOf splits the packet of a frame.
func fragmentsOf(f []byte) (first, second []byte) {
	body := f[34:]
	first, second = slices.Concat(f[:34], body[:16]), slices.Concat(f[:34], body[16:])
	binary.BigEndian.PutUint16(first[16:], 36)
	binary.BigEndian.PutUint16(first[20:], 0x2000)
	binary.BigEndian.PutUint16(second[16:], uint16(20+len(body)-16))
	binary.BigEndian.PutUint16(second[20:], 2)
	for _, p := range [][]byte{first, second} {
		frame.ChecksumIPv4(p[14:34])
	}
	return first, second
}

func TestFragments(t *testing.T) {
	server := netip.MustParseAddrPort("192.168.1.10:80")
	for name, at := range map[string]netip.AddrPort{"a mapping": innerAt, "an open port": server} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, NAT{NoPreserve: true})
			b.Open(Forward{Protocol: UDP, Port: 8080, To: server})
			first, second := fragmentsOf(udpOf(at, peerA))
			if out, _ := b.leave(slices.Clone(second)); out != nil {
				t.Error("a fragment without its beginning goes out")
			}
			out, _ := b.leave(first)
			if later, _ := b.leave(second); out == nil || later == nil || later.src != wanAddr {
				t.Fatalf("out: %v %v", out, later)
			}
			first, second = fragmentsOf(udpOf(peerA, out.from()))
			if b.enter(slices.Clone(second)) != nil {
				t.Error("a fragment without its beginning comes in")
			}
			in := b.enter(first)
			if later := b.enter(second); in == nil || later == nil || in.dst != at.Addr() || later.dst != at.Addr() {
				t.Errorf("in: %v %v", in, later)
			}
		})
	}
}

func TestOpenPorts(t *testing.T) {
	b := newBench(t, NAT{})
	server := netip.MustParseAddrPort("192.168.1.20:80")
	open := netip.AddrPortFrom(wanAddr, 8080)
	b.Open(Forward{Protocol: TCP, Port: 8080, To: server, Until: b.o.clock.Now().Add(time.Hour)})
	if len(b.Opened()) != 1 {
		t.Error("it is not open")
	}
	b.enter(tcpOf(peerA, open, syn))
	if len(b.toIn) != 1 || b.toIn[0][13] != 6 || [4]byte(b.toIn[0][38:42]) != server.Addr().As4() {
		t.Fatalf("it does not ask who has the address: %x", b.toIn)
	}
	b.inside.SendDown(arpMessage(2, insideMAC, server.Addr(), b.mac, b.LAN().Addr()))
	if in := b.enter(tcpOf(peerA, open, syn)); in == nil || in.to() != server || in.from() != peerA {
		t.Errorf("in: %+v", in)
	}
	if out, _ := b.leave(tcpOf(server, peerA, syn|ack)); out == nil || out.from() != open {
		t.Errorf("out: %+v", out)
	}
	if out, _ := b.leave(tcpOf(netip.MustParseAddrPort("192.168.1.30:8080"), peerA, syn)); out.from() == open {
		t.Error("a mapping takes the open port")
	}
	b.Open(Forward{Protocol: TCP, Port: 8080, To: server, Until: b.o.clock.Now().Add(-time.Second)})
	if b.enter(tcpOf(peerB, open, syn)) != nil || len(b.Opened()) != 0 {
		t.Error("it is open after its time")
	}
}

func TestRebootLosesAll(t *testing.T) {
	b := newBench(t, NAT{})
	out, _ := b.leave(udpOf(innerAt, peerA))
	b.Open(Forward{Protocol: TCP, Port: 8080, To: innerAt})
	up := b.Reboot()
	b.tick()
	if o, _ := b.leave(udpOf(innerAt, peerA)); o != nil || b.enter(udpOf(peerA, out.from())) != nil {
		t.Error("it forwards while it is down")
	}
	up()
	if b.enter(udpOf(peerA, out.from())) != nil || len(b.Opened()) != 0 {
		t.Error("it remembers what it had")
	}
	if o, _ := b.leave(udpOf(innerAt, peerA)); o == nil {
		t.Error("it forwards nothing afterwards")
	}
}

func TestNewAddress(t *testing.T) {
	b := newBench(t, NAT{})
	out, _ := b.leave(udpOf(innerAt, peerA))
	b.readdress(netip.MustParseAddr("198.51.100.99"))
	b.tick()
	if b.enter(udpOf(peerA, out.from())) != nil {
		t.Error("the old address is served")
	}
	if o, _ := b.leave(udpOf(innerAt, peerA)); o == nil || o.src != b.WAN() {
		t.Errorf("%+v", o)
	}
}

func TestNotForwarded(t *testing.T) {
	b := newBench(t, NAT{})
	for what, f := range map[string][]byte{
		"a source of another network": udpOf(netip.MustParseAddrPort("10.0.0.1:1"), peerA),
		"a link-local target":         udpOf(innerAt, netip.MustParseAddrPort("169.254.1.1:1")),
		"a neighbour":                 udpOf(innerAt, netip.MustParseAddrPort("192.168.1.77:1")),
		"a multicast target":          udpOf(innerAt, netip.MustParseAddrPort("239.1.1.1:1")),
		"an unknown protocol":         ipOf(innerAt.Addr(), peerA.Addr(), 47, make([]byte, 20)),
	} {
		if out, _ := b.leave(f); out != nil {
			t.Errorf("%s: %+v", what, out)
		}
	}
	f := udpOf(peerA, netip.AddrPortFrom(wanAddr, 5000))
	b.leave(udpOf(innerAt, peerA))
	b.toIn = nil
	b.out.SendDown(f) // to another Ethernet address
	if len(b.toIn) > 0 {
		t.Error("it takes frames for others")
	}
}

func TestCutOff(t *testing.T) {
	b := newBench(t, NAT{})
	undo := b.CutOff()
	if out, back := b.leave(udpOf(innerAt, peerA)); out != nil || back == nil || back.body()[0] != 3 || back.dst != innerAt.Addr() {
		t.Errorf("%v %+v", out, back)
	}
	undo()
	if out, _ := b.leave(udpOf(innerAt, peerA)); out == nil {
		t.Error("it forwards nothing afterwards")
	}
}

func TestHairpin(t *testing.T) {
	for _, hairpin := range []bool{false, true} {
		b := newBench(t, NAT{Hairpin: hairpin})
		server := netip.MustParseAddrPort("192.168.1.20:80")
		b.inside.SendDown(arpMessage(2, insideMAC, server.Addr(), b.mac, b.LAN().Addr()))
		b.Open(Forward{Protocol: TCP, Port: 8080, To: server})
		_, in := b.leave(tcpOf(innerAt, netip.AddrPortFrom(wanAddr, 8080), syn))
		if (in != nil) != hairpin || in != nil && (in.to() != server || in.src != wanAddr) {
			t.Errorf("hairpin %t: %+v", hairpin, in)
		}
	}
}

func TestFull(t *testing.T) {
	b := newBench(t, NAT{Size: 2, UDP: time.Minute})
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(innerAt.Addr(), port) }
	b.leave(udpOf(at(5001), peerA))
	b.leave(udpOf(at(5002), peerA))
	if out, _ := b.leave(udpOf(at(5003), peerA)); out != nil {
		t.Error("a third mapping is made")
	}
	b.now += 2 * time.Minute
	if out, _ := b.leave(udpOf(at(5003), peerA)); out == nil {
		t.Error("forgotten mappings make no room")
	}
}

func TestAgeKeepsMappings(t *testing.T) {
	b := newBench(t, NAT{})
	out, _ := b.leave(udpOf(innerAt, peerA))
	undo := b.Age(func(n *NAT) { n.UDP = 30 * time.Second })
	if b.enter(udpOf(peerA, out.from())) == nil {
		t.Error("the mapping is lost")
	}
	b.now += time.Minute
	if b.enter(udpOf(peerA, out.from())) != nil {
		t.Error("the mapping outlives its new time")
	}
	undo()
	if got := b.o.nat.withDefaults().UDP; got != 5*time.Minute {
		t.Errorf("after undo %s", got)
	}
}

func FuzzRouter(f *testing.F) {
	f.Add(udpOf(innerAt, peerA), true)
	f.Add(tcpOf(peerA, netip.AddrPortFrom(wanAddr, 5000), syn), false)
	f.Add(icmpOf(peerA.Addr(), wanAddr, 3, 4, slices.Concat([]byte{0, 0, 5, 0}, udpOf(netip.AddrPortFrom(wanAddr, 5000), peerA)[14:42])), false)
	first, second := fragmentsOf(udpOf(innerAt, peerA))
	f.Add(first, true)
	f.Add(second, true)
	f.Add(frame6([6]byte(insideMAC), [6]byte{}, routerLocal, netip.MustParseAddr("2001:db8:1::9"), []byte{1, 0, 0, 0, 0, 0, 0, 0, 0x60}), false)
	f.Add(frame6([6]byte(insideMAC), [6]byte{}, netip.MustParseAddr("2001:db8:1::9"), netip.MustParseAddr("64:ff9b::cb00:710a"), []byte{128, 0, 0, 0, 0, 0, 0, 0}), true)
	f.Fuzz(func(t *testing.T, raw []byte, inside bool) {
		b := newBench(t, NAT{Hairpin: true, Lost: WithRST})
		b.six.prefix = netip.MustParsePrefix("2001:db8:1::/64")
		b.NAT64()
		b.leave(udpOf(innerAt, peerA))
		if len(raw) < 12 {
			b.fromInside(raw)
			b.fromOutside(raw)
			return
		}
		if inside {
			copy(raw, b.mac[:])
			b.fromInside(raw)
		} else {
			copy(raw, b.outer[:])
			b.fromOutside(raw)
		}
	})
}
