package internet

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// routing is what a router is made of.
type routing struct {
	name    string // as its events are signed
	clock   *clock.Clock
	log     *evidence.Log
	seed    uint64
	lan     netip.Prefix // its address in its network, with the length of the network's prefix
	wan     netip.Addr   // its address to the internet
	nat     NAT
	inside  *frame.Link // the near end is the router's: a station of its network
	outside *frame.Link // the near end is the router's: attached to the backbone, or to the network of another router
	nextHop [6]byte     // the Ethernet address at the far end of outside
}

// Router joins a network to the internet. It is safe for concurrent use.
type Router struct {
	Host *Host // the router itself, with its address in the network; closed by Close

	o     routing
	inner *frame.Link // to Host
	outer [6]byte     // Ethernet address to the internet

	mu        sync.Mutex
	mac       [6]byte // Ethernet address in the network
	wan       netip.Addr
	table     *table
	forwarded map[outside]Forward
	neighbour map[netip.Addr][6]byte
	fragments map[fragment]netip.AddrPort
	down      bool
	cutOff    bool           // no internet behind it
	dropped   map[string]int // packets that the router did not forward, by reason
	six       six
}

// Forward is a port that is open from the internet.
type Forward struct {
	Protocol Protocol
	Port     uint16 // outer
	To       netip.AddrPort
	Until    time.Time // device time; zero: for ever
}

// fragment identifies the fragments of a packet (RFC 791, section 3.2).
type fragment struct {
	src, dst netip.Addr
	proto    Protocol
	id       uint16
}

func (p packet) fragment() fragment { return fragment{p.src, p.dst, p.proto, p.id()} }

// Bounds of what a router remembers of a network that may be hostile.
const (
	maxNeighbours = 1024
	maxFragments  = 256
)

// macOf is the Ethernet address of the router with that address in its network.
func macOf(lan netip.Addr) [6]byte {
	a := lan.As4()
	return [6]byte{0x02, 0x01, a[0], a[1], a[2], a[3]}
}

func newRouter(o routing) (*Router, error) {
	r := &Router{
		o: o, outer: macOf(o.lan.Addr()), mac: macOf(o.lan.Addr()), wan: o.wan, forwarded: map[outside]Forward{},
		neighbour: map[netip.Addr][6]byte{}, dropped: map[string]int{},
		inner: frame.New(frame.Options{Name: o.name + " itself", Clock: o.clock}),
	}
	r.anew()
	var err error
	if r.Host, err = NewHost(o.clock, r.inner, net.HardwareAddr(r.mac[:]), o.seed); err != nil {
		r.inner.Close()
		return nil, fmt.Errorf("open router %s: %w", o.name, err)
	}
	if err := r.Host.Add(o.lan); err != nil {
		r.Host.Close()
		r.inner.Close()
		return nil, fmt.Errorf("open router %s: %w", o.name, err)
	}
	r.Host.Route()
	r.inner.Far(func(f []byte) {
		if r.up() {
			o.inside.SendUp(asRouter(f))
		}
	})
	o.inside.Near(r.fromInside)
	o.outside.Near(r.fromOutside)
	return r, nil
}

// anew loses every mapping; r.mu is held, or the router is not shared yet.
func (r *Router) anew() {
	r.table = newTable(r.o.nat, r.o.clock.Passed)
	r.table.taken = func(at outside) bool {
		f, ok := r.forwarded[at]
		return ok && r.valid(f)
	}
	r.fragments, r.six.flows = map[fragment]netip.AddrPort{}, map[flow]time.Duration{}
}

func (r *Router) close() {
	r.mu.Lock()
	r.six.says = nil // so that nothing starts the timer anew
	r.six.close()
	r.mu.Unlock()
	r.o.inside.Near(nil)
	r.o.outside.Near(nil)
	r.Host.Close()
	r.inner.Close()
}

// WAN is the router's address to the internet.
func (r *Router) WAN() netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wan
}

// LAN is the router's address in its network.
func (r *Router) LAN() netip.Prefix {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.o.lan
}

// MAC is the router's Ethernet address in its network.
func (r *Router) MAC() net.HardwareAddr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return net.HardwareAddr(r.mac[:])
}

// Replace gives the router another Ethernet address in its network, as another router in its place has, or the second of a pair. Nobody
// is told; see Announce. Undo goes back.
func (r *Router) Replace(mac [6]byte) (undo func()) {
	set := func(mac [6]byte) (was [6]byte) {
		r.mu.Lock()
		was, r.mac = r.mac, mac
		r.mu.Unlock()
		r.Host.remac(mac)
		return was
	}
	text := fmt.Sprintf("has the Ethernet address %s", net.HardwareAddr(mac[:]))
	was := set(mac)
	return r.impaired(text, func() {
		set(was)
		r.Announce()
	})
}

// Announce tells the network the router's Ethernet address by a gratuitous ARP request and reply (RFC 5944, section 4.6).
func (r *Router) Announce() {
	r.mu.Lock()
	lan := r.o.lan.Addr()
	ask, say := arpMessage(1, r.mac, lan, [6]byte{}, lan), arpMessage(2, r.mac, lan, [6]byte{}, lan)
	r.mu.Unlock()
	r.o.inside.SendUp(ask)
	r.o.inside.SendUp(say)
}

// renumber gives the router another address in its network, and with it another network.
func (r *Router) renumber(lan netip.Prefix) error {
	r.mu.Lock()
	was := r.o.lan
	r.o.lan = lan
	clear(r.neighbour)
	r.anew()
	r.mu.Unlock()
	if err := r.Host.Remove(was); err != nil {
		return err
	}
	if err := r.Host.Add(lan); err != nil {
		return err
	}
	r.Host.Route()
	r.note(fmt.Sprintf("has the network %s now", lan.Masked()))
	return nil
}

// readdress gives the router another address to the internet: every mapping is lost. World.Readdress tells the backbone too.
func (r *Router) readdress(wan netip.Addr) {
	r.mu.Lock()
	r.wan = wan
	r.anew()
	r.mu.Unlock()
	r.note(fmt.Sprintf("has the address %s now; its mappings are lost", wan))
}

// Translate changes how addresses are translated from now on: every mapping is lost. Undo goes back, with the same loss.
func (r *Router) Translate(nat NAT) (undo func()) {
	set := func(n NAT) NAT {
		r.mu.Lock()
		defer r.mu.Unlock()
		was := r.o.nat
		r.o.nat = n
		r.anew()
		return was
	}
	was := set(nat)
	return r.impaired("translates otherwise", func() { set(was) })
}

// Age changes how long mappings live, without losing any of those that are there.
func (r *Router) Age(change func(*NAT)) (undo func()) {
	set := func(n NAT) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.o.nat, r.table.nat = n, n.withDefaults()
	}
	r.mu.Lock()
	was, then := r.o.nat, r.o.nat
	r.mu.Unlock()
	change(&then)
	set(then)
	n := then.withDefaults()
	text := fmt.Sprintf("forgets UDP after %s, TCP after %s", n.UDP, n.TCP)
	return r.impaired(text, func() { set(was) })
}

// Forget loses every mapping, as a router does that is short of memory.
func (r *Router) Forget() {
	r.mu.Lock()
	r.anew()
	r.mu.Unlock()
	r.note("forgets its mappings")
}

// Reboot takes the router down: nothing is forwarded or answered, and mappings, open ports and neighbours are lost. Up brings it back.
func (r *Router) Reboot() (up func()) {
	r.mu.Lock()
	r.down, r.forwarded = true, map[outside]Forward{}
	clear(r.neighbour)
	r.anew()
	r.mu.Unlock()
	return r.impaired("reboots", func() {
		r.mu.Lock()
		r.down = false
		r.mu.Unlock()
		r.advertise()
	})
}

// CutOff takes the internet away from the router, which tells so by ICMP: the network behind it works on.
func (r *Router) CutOff() (undo func()) {
	set := func(v bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cutOff = v
	}
	set(true)
	return r.impaired("no internet", func() { set(false) })
}

// Open opens a port from the internet, and replaces what was opened there. Close of a port is Open with a time that has passed.
func (r *Router) Open(f Forward) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forwarded[outside{f.Protocol, f.Port}] = f
}

// Opened are the ports that are open from the internet.
func (r *Router) Opened() (all []Forward) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.forwarded {
		if r.valid(f) {
			all = append(all, f)
		}
	}
	return all
}

func (r *Router) valid(f Forward) bool { return f.Until.IsZero() || r.o.clock.Now().Before(f.Until) }

// Dropped is how many packets the router did not forward, by reason.
func (r *Router) Dropped() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]int{}
	for why, n := range r.dropped {
		all[why] = n
	}
	return all
}

func (r *Router) up() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.down
}

func (r *Router) note(text string) { r.add(evidence.Seen, r.o.name+" "+text) }

// impaired tells that the router is impaired; the undo heals it, and tells so.
func (r *Router) impaired(text string, heal func()) (undo func()) {
	text = r.o.name + ": " + text
	r.add(evidence.Impair, text)
	return sync.OnceFunc(func() {
		heal()
		r.add(evidence.Heal, text)
	})
}

func (r *Router) add(kind evidence.Kind, text string) {
	if r.o.log != nil {
		r.o.log.Add(evidence.Event{Part: r.o.name, Kind: kind, Text: text})
	}
}
