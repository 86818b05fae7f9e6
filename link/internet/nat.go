package internet

import (
	"fmt"
	"net/netip"
	"time"
)

// Behaviour says on what a mapping or a filter depends beside the inner address and port (RFC 4787, sections 4.1 and 5).
type Behaviour int

// The behaviours, the most open first.
const (
	EndpointIndependent     Behaviour = iota // on nothing: "full cone"
	AddressDependent                         // on the outer address
	AddressAndPortDependent                  // on the outer address and port: "symmetric" as a mapping
)

func (b Behaviour) String() string {
	return []string{"endpoint-independent", "address-dependent", "address- and port-dependent"}[b]
}

// Lost is what becomes of a TCP segment from inside whose mapping is forgotten.
type Lost int

// What becomes of it.
const (
	Dropped  Lost = iota // nothing is heard: the connection hangs half open
	WithRST              // the inner side gets a RST
	Remapped             // it gets another outer port, on which the peer knows no connection
)

// NAT is how addresses are translated. The zero value is a friendly home router: endpoint-independent mapping, address- and
// port-dependent filtering, 5 min for UDP and 2 h 4 min for TCP.
type NAT struct {
	Off        bool // only forward, as a router without NAT
	Mapping    Behaviour
	Filtering  *Behaviour    // nil: AddressAndPortDependent
	UDP        time.Duration // idle time after which a UDP mapping is forgotten; 0: 5 min, which RFC 4787 recommends
	TCP        time.Duration // of an established connection; 0: 2 h 4 min, the least of RFC 5382
	Brief      time.Duration // of a TCP connection that is opening or closing; 0: 4 min
	NoPreserve bool          // give outer ports of its own choice instead of the inner one
	Lost       Lost
	Hairpin    bool // who is inside reaches others inside by the router's outer address (RFC 4787, section 6)
	Size       int  // mappings that it can hold; 0: 4096. When full, new ones are refused
}

func (n NAT) withDefaults() NAT {
	if n.Filtering == nil {
		strict := AddressAndPortDependent
		n.Filtering = &strict
	}
	for _, d := range []struct {
		of   *time.Duration
		then time.Duration
	}{{&n.UDP, 5 * time.Minute}, {&n.TCP, 124 * time.Minute}, {&n.Brief, 4 * time.Minute}} {
		if *d.of == 0 {
			*d.of = d.then
		}
	}
	if n.Size == 0 {
		n.Size = 4096
	}
	return n
}

// Protocol is what the NAT keeps apart.
type Protocol byte

// The protocols of a mapping, by their IP protocol number.
const (
	ICMP Protocol = 1
	TCP  Protocol = 6
	UDP  Protocol = 17
)

func (p Protocol) String() string {
	switch p {
	case ICMP:
		return "ICMP"
	case TCP:
		return "TCP"
	case UDP:
		return "UDP"
	}
	return fmt.Sprintf("protocol %d", byte(p))
}

// inner identifies who a mapping is for; outer is filled in as far as the mapping depends on it.
type inner struct {
	proto  Protocol
	inside netip.AddrPort
	outer  netip.AddrPort
}

// outside is where a mapping can be reached.
type outside struct {
	proto Protocol
	port  uint16
}

// mapping is one translation.
type mapping struct {
	inner
	port  uint16
	used  time.Duration // when it last carried a packet from inside, in device time since the start
	peers map[netip.AddrPort]struct{}

	answered bool // TCP: a segment came back
	closing  bool // TCP: a FIN or RST passed
}

// maxPeers bounds what a mapping remembers of whom it was used with.
const maxPeers = 256

// life is how long a mapping lives without use.
func (n NAT) life(m *mapping) time.Duration {
	switch {
	case m.proto == TCP && m.answered && !m.closing:
		return n.TCP
	case m.proto == TCP:
		return n.Brief
	case m.proto == ICMP:
		return time.Minute
	}
	return n.UDP
}

// table is what a NAT remembers.
type table struct {
	nat     NAT
	now     func() time.Duration
	byInner map[inner]*mapping
	byPort  map[outside]*mapping
	next    uint16
	taken   func(outside) bool // outer ports that are open for something else
}

func newTable(nat NAT, now func() time.Duration) *table {
	return &table{nat: nat.withDefaults(), now: now, byInner: map[inner]*mapping{}, byPort: map[outside]*mapping{}, next: 49152}
}

func (t *table) key(proto Protocol, inside, outer netip.AddrPort) inner {
	k := inner{proto: proto, inside: inside}
	switch t.nat.Mapping {
	case AddressDependent:
		k.outer = netip.AddrPortFrom(outer.Addr(), 0)
	case AddressAndPortDependent:
		k.outer = outer
	}
	return k
}

// out is the mapping for a packet from inside; open says whether a new one may be made. Nil: there is none.
func (t *table) out(proto Protocol, inside, outer netip.AddrPort, open bool) *mapping {
	k := t.key(proto, inside, outer)
	m := t.known(proto, inside, outer)
	if m == nil {
		if !open {
			return nil
		}
		if len(t.byInner) >= t.nat.Size {
			t.sweep()
		}
		port, ok := t.port(proto, inside.Port())
		if len(t.byInner) >= t.nat.Size || !ok {
			return nil
		}
		m = &mapping{inner: k, port: port, peers: map[netip.AddrPort]struct{}{}}
		t.byInner[k], t.byPort[outside{proto, port}] = m, m
	}
	m.used = t.now()
	peer := t.peer(outer)
	if _, ok := m.peers[peer]; !ok && len(m.peers) >= maxPeers {
		for old := range m.peers {
			delete(m.peers, old)
			break
		}
	}
	m.peers[peer] = struct{}{}
	return m
}

// known is the mapping that a packet from inside would use, untouched; nil: there is none.
func (t *table) known(proto Protocol, inside, outer netip.AddrPort) *mapping {
	return t.alive(t.byInner[t.key(proto, inside, outer)])
}

// in is the mapping for a packet that came to an outer port; nil: there is none, or the filter does not let the sender in.
func (t *table) in(proto Protocol, port uint16, from netip.AddrPort) *mapping {
	m := t.alive(t.byPort[outside{proto, port}])
	if m == nil {
		return nil
	}
	if _, ok := m.peers[t.peer(from)]; !ok {
		return nil
	}
	return m
}

// peer is as much of an outer address as the filter looks at.
func (t *table) peer(a netip.AddrPort) netip.AddrPort {
	switch *t.nat.Filtering {
	case EndpointIndependent:
		return netip.AddrPort{}
	case AddressDependent:
		return netip.AddrPortFrom(a.Addr(), 0)
	}
	return a
}

// alive is m, or nil when its time is over; it is forgotten then.
func (t *table) alive(m *mapping) *mapping {
	if m != nil && t.now()-m.used > t.nat.life(m) {
		t.forget(m)
		return nil
	}
	return m
}

func (t *table) forget(m *mapping) {
	delete(t.byInner, m.inner)
	delete(t.byPort, outside{m.proto, m.port})
}

func (t *table) sweep() {
	for _, m := range t.byInner {
		t.alive(m)
	}
}

// port finds a free outer port, the inner one if that is wanted and free.
func (t *table) port(proto Protocol, want uint16) (uint16, bool) {
	free := func(p uint16) bool {
		at := outside{proto, p}
		return t.alive(t.byPort[at]) == nil && (t.taken == nil || !t.taken(at))
	}
	if !t.nat.NoPreserve && (want >= 1024 || proto == ICMP) && free(want) {
		return want, true
	}
	for range 1 << 14 {
		t.next++
		if t.next < 49152 {
			t.next = 49152
		}
		if free(t.next) {
			return t.next, true
		}
	}
	return 0, false
}
