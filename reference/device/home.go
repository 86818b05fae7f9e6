package device

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/shakedown-test/shakedown/link/internet"
)

// Home is the home network that the device is in.
type Home interface {
	ListenPacket(at netip.AddrPort) (net.PacketConn, error)
	ListenMulticast(group netip.AddrPort, ttl uint8) (net.PacketConn, error)
	Listen(at netip.AddrPort) (*internet.Listener, error)
	Addresses() []netip.Prefix // its own
}

// localPort is that of the local API.
const localPort = 8443

// household is what the device does in its home network: it tells of itself by multicast DNS, has a page for browsers, and opens a port of
// the router when it is told to. All run beside the device; what they learn comes back as calls to make.
type household struct {
	cfg    *Config
	con    *console
	device *Device     // for planted defects only
	calls  chan func() // for the device's goroutine
	off    context.Context
	end    context.CancelFunc
	polite atomic.Bool // say goodbye; set before end
	cloud  atomic.Bool // the device is online; for planted defects only
	wg     sync.WaitGroup

	wish  chan bool // whether a port is to be open; holds the newest
	names *responder
}

// joinHome begins the life in the home network; nil when there is none.
func (d *Device) joinHome() *household {
	if d.cfg.Home == nil {
		return nil
	}
	h := &household{cfg: &d.cfg, con: &d.con, device: d, calls: make(chan func(), 4), wish: make(chan bool, 1)}
	h.off, h.end = context.WithCancel(d.power)
	rng := rand.New(rand.NewPCG(d.cfg.Seed, uint64(d.set.Boots)<<32))
	h.names = &responder{home: h, rng: rng, number: d.set.NameNumber, told: d.tellHome}
	p := &porter{home: h, rng: rng.Uint64(), port: d.set.Mapped, told: d.tellMapped}
	h.want(d.set.Remote)
	h.wg.Go(h.names.run)
	h.wg.Go(p.run)
	h.wg.Go(h.pages)
	return h
}

// leave ends it: with goodbyes, or as a power cut or a crash does.
func (h *household) leave(polite bool) {
	if h == nil {
		return
	}
	h.polite.Store(polite)
	h.end()
	h.wg.Wait()
}

// inbox are the calls that the device is to make.
func (h *household) inbox() <-chan func() {
	if h == nil {
		return nil
	}
	return h.calls
}

// want says whether a port of the router is to be open.
func (h *household) want(open bool) {
	if h == nil {
		return
	}
	select {
	case <-h.wish:
	default:
	}
	h.wish <- open
}

// call has the device's goroutine call f, unless it ends before.
func (h *household) call(f func()) {
	select {
	case h.calls <- f:
	case <-h.off.Done():
	}
}

// address is that of the device in its network; the zero Addr while it has none.
func (h *household) address() netip.Addr {
	for _, p := range h.cfg.Home.Addresses() {
		if p.Addr().Is4() {
			return p.Addr()
		}
	}
	return netip.Addr{}
}

// tellHome takes what the responder learned: the device's address, and the number in its name.
func (d *Device) tellHome(addr netip.Addr, number int) {
	d.address, d.localDue = addr, true
	if d.set.NameNumber != number {
		d.set.NameNumber, d.dirty = number, true
	}
}

// tellMapped takes what the porter reached: the router's address and its open port; port 0: none is open.
func (d *Device) tellMapped(outer netip.AddrPort) {
	d.outer, d.localDue = outer, true
	d.set.Mapped, d.dirty = outer.Port(), true
}

// local is the payload that tells apps where the device can be reached without the cloud. It is their way to it where the network loses
// multicast.
func (d *Device) local() []byte {
	at := map[string]any{"address": d.address.String(), "port": localPort}
	if d.outer.Port() != 0 {
		at["outside"] = d.outer.String()
	}
	b, err := json.Marshal(at)
	if err != nil {
		panic("encode address: " + err.Error()) // texts and numbers always encode
	}
	return b
}
