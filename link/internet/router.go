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

// Router joins a network to the  It is safe for concurrent use.
type Router struct {
	Host *Host // the router itself, with its address in the network; closed by Close

	o     routing
	inner *frame.Link // to Host
	mac   [6]byte     // on both sides

	mu        sync.Mutex
	wan       netip.Addr
	table     *table
	forwarded map[outside]Forward
	neighbour map[netip.Addr][6]byte
	fragments map[fragment]*mapping
	down      bool
	dropped   map[string]int // packets that the router did not forward, by reason
}

// Forward is a port that is open from the
type Forward struct {
	Protocol Protocol
	Port     uint16 // outer
	To       netip.AddrPort
	Until    time.Time // device time; zero: for ever
}

// fragment identifies the fragments of a packet.
type fragment struct {
	src, dst netip.Addr
	id       uint16
}

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
		o: o, mac: macOf(o.lan.Addr()), wan: o.wan, forwarded: map[outside]Forward{}, neighbour: map[netip.Addr][6]byte{},
		fragments: map[fragment]*mapping{}, dropped: map[string]int{},
		inner: frame.New(frame.Options{Name: o.name + " itself", Clock: o.clock}),
	}
	r.table = newTable(o.nat, o.clock.Passed)
	var err error
	if r.Host, err = NewHost(o.clock, r.inner, net.HardwareAddr(r.mac[:]), o.seed); err != nil {
		return nil, fmt.Errorf("open router %s: %w", o.name, err)
	}
	if err := r.Host.Add(o.lan); err != nil {
		r.Host.Close()
		return nil, fmt.Errorf("open router %s: %w", o.name, err)
	}
	r.Host.Route()
	r.inner.Far(func(f []byte) {
		if r.up() {
			o.inside.SendUp(f)
		}
	})
	o.inside.Near(r.fromInside)
	o.outside.Near(r.fromOutside)
	return r, nil
}

func (r *Router) close() {
	r.o.inside.Near(nil)
	r.o.outside.Near(nil)
	r.Host.Close()
	r.inner.Close()
}

// WAN is the router's address to the
func (r *Router) WAN() netip.Addr {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wan
}

// LAN is the router's address in its network.
func (r *Router) LAN() netip.Prefix { return r.o.lan }

// readdress gives the router another address to the internet: every mapping is lost. World.Readdress tells the backbone too.
func (r *Router) readdress(wan netip.Addr) {
	r.mu.Lock()
	r.wan, r.table = wan, newTable(r.o.nat, r.o.clock.Passed)
	r.mu.Unlock()
	r.note(fmt.Sprintf("has the address %s now; its mappings are lost", wan))
}

// Translate changes how addresses are translated from now on: every mapping is lost. Undo goes back, with the same loss.
func (r *Router) Translate(nat NAT) (undo func()) {
	set := func(n NAT) NAT {
		r.mu.Lock()
		defer r.mu.Unlock()
		was := r.o.nat
		r.o.nat, r.table = n, newTable(n, r.o.clock.Passed)
		return was
	}
	was := set(nat)
	return func() { set(was) }
}

// Age changes how long mappings live, without losing any of those that are there.
func (r *Router) Age(change func(*NAT)) (undo func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was, then := r.table.nat, r.table.nat
	change(&then)
	r.table.nat = then
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.table.nat = was
	}
}

// Forget loses every mapping, as a router does that is short of memory.
func (r *Router) Forget() {
	r.mu.Lock()
	r.table = newTable(r.o.nat, r.o.clock.Passed)
	r.mu.Unlock()
	r.note("forgets its mappings")
}

// Reboot takes the router down: nothing is forwarded or answered, and mappings and open ports are lost. Up brings it back.
func (r *Router) Reboot() (up func()) {
	r.mu.Lock()
	r.down, r.table, r.forwarded = true, newTable(r.o.nat, r.o.clock.Passed), map[outside]Forward{}
	r.mu.Unlock()
	r.add(evidence.Impair, r.o.name+": reboots")
	return sync.OnceFunc(func() {
		r.mu.Lock()
		r.down = false
		r.mu.Unlock()
		r.add(evidence.Heal, r.o.name+": reboots")
	})
}

// Open opens a port from the internet, and replaces what was opened there. Close of a port is Open with a time that has passed.
func (r *Router) Open(f Forward) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forwarded[outside{f.Protocol, f.Port}] = f
}

// Opened are the ports that are open from the
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

func (r *Router) add(kind evidence.Kind, text string) {
	if r.o.log != nil {
		r.o.log.Add(evidence.Event{Part: r.o.name, Kind: kind, Text: text})
	}
}
