package internet

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// maxGreeted is how many TCP connections a host that is anybody greets at a time.
const maxGreeted = 64

// anybody is a host on the backbone that answers at whatever address it is spoken to. It gets only what it is handed.
type anybody struct {
	host *Host
	at   *attached
	ctx  context.Context // ends with close
	end  context.CancelFunc

	mu     sync.Mutex
	closed bool
	tasks  sync.WaitGroup
}

// anybody attaches such a host, which ends with its close or with the world.
func (w *World) anybody(name string) (*anybody, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.link(name)
	mac := [6]byte{0x02, 0, 0, 0x5e, 0x45, byte(len(w.links))}
	h, err := newHost(w.cfg.Clock, l, mac[:], w.cfg.Seed+uint64(len(w.links)), false)
	if err != nil {
		return nil, err
	}
	a := &anybody{host: h}
	a.ctx, a.end = context.WithCancel(context.Background())
	if terr := h.stack.SetPromiscuousMode(only, true); terr != nil {
		h.Close()
		return nil, fmt.Errorf("set up IP stack: %s", terr)
	}
	if terr := h.stack.SetSpoofing(only, true); terr != nil {
		h.Close()
		return nil, fmt.Errorf("set up IP stack: %s", terr)
	}
	h.RouteAll()
	w.backbone.Attach(l, mac)
	a.at = w.backbone.station(l)
	w.anybodies = append(w.anybodies, a)
	return a, nil
}

// begin reports whether something may still be done; tasks.Done follows.
func (a *anybody) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.tasks.Add(1)
	return true
}

// close ends all connections and waits for what serves them.
func (a *anybody) close() {
	a.mu.Lock()
	was := a.closed
	a.closed = true
	a.mu.Unlock()
	if was {
		return
	}
	a.end()
	over := make(chan struct{})
	go func() {
		a.tasks.Wait()
		close(over)
	}()
	for waiting := true; waiting; { // a connection that is just being greeted is not among them at once
		for _, e := range a.host.stack.RegisteredEndpoints() {
			e.Abort()
		}
		select {
		case <-over:
			waiting = false
		case <-time.After(5 * time.Millisecond):
		}
	}
	a.host.Close()
}

// request is a TCP connection that somebody wants.
type request struct {
	*tcp.ForwarderRequest
	to netip.AddrPort
}

// takeTCP has serve called for each connection that is wanted, in a goroutine of its own. It must call accept or refuse.
func (a *anybody) takeTCP(serve func(*request)) {
	f := tcp.NewForwarder(a.host.stack, 0, maxGreeted, func(r *tcp.ForwarderRequest) {
		if !a.begin() {
			r.Complete(false)
			return
		}
		defer a.tasks.Done()
		id := r.ID()
		serve(&request{r, netip.AddrPortFrom(addrOf(id.LocalAddress), id.LocalPort)})
	})
	a.host.stack.SetTransportProtocolHandler(tcp.ProtocolNumber, f.HandlePacket)
}

// accept completes the handshake. It is nil when that failed.
func (r *request) accept() net.Conn {
	defer r.Complete(false)
	wq := new(waiter.Queue)
	ep, terr := r.CreateEndpoint(wq)
	if terr != nil {
		return nil
	}
	return newConn(wq, ep)
}

// takeUDP has serve called with the first datagram of each flow that enter lets in, in a goroutine of its own; it closes the socket, which
// is nil when there can be none. Whom enter turns away gets an ICMP message.
func (a *anybody) takeUDP(enter func(to netip.AddrPort) bool, serve func(c net.Conn, to netip.AddrPort)) {
	f := udp.NewForwarder(a.host.stack, func(r *udp.ForwarderRequest) bool {
		to := netip.AddrPortFrom(addrOf(r.ID().LocalAddress), r.ID().LocalPort)
		if !a.begin() {
			return true
		}
		if !enter(to) {
			a.tasks.Done()
			return false
		}
		wq := new(waiter.Queue)
		ep, terr := r.CreateEndpoint(wq)
		go func() {
			defer a.tasks.Done()
			if terr != nil { // such as for the second of two datagrams that come at once
				serve(nil, to)
				return
			}
			serve(&packetConn{UDPConn: gonet.NewUDPConn(wq, ep)}, to)
		}()
		return true
	})
	a.host.stack.SetTransportProtocolHandler(udp.ProtocolNumber, f.HandlePacket)
}
