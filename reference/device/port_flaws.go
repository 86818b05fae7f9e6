package device

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// runFlawed is what defects do at the network port until the function returned.
func (n *port) runFlawed(ctx context.Context) (stop func()) {
	var tasks sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	if n.has("telnet-open") {
		n.openConsole(ctx, &tasks, netip.IPv4Unspecified())
	}
	if n.has("telnet-open") || n.has("telnet-open-ipv6") {
		n.openConsole(ctx, &tasks, netip.IPv6Unspecified())
	}
	if n.has("tcp-isn-constant") {
		n.host.Begin(func() uint32 { return 6510 })
	}
	if n.has("tcp-isn-counts") {
		isn := uint32(n.cfg.Clock.Passed() / 64)
		n.host.Begin(func() uint32 {
			isn += 64000
			return isn
		})
	}
	if n.has("tells-others") {
		tasks.Go(func() { n.send(ctx, netip.MustParseAddrPort("203.0.113.250:443"), 10*time.Second, 100) })
	}
	if n.has("chatters") {
		tasks.Go(func() { n.send(ctx, netip.AddrPort{}, 50*time.Millisecond, 1000) })
	}
	return func() {
		cancel()
		tasks.Wait()
	}
}

func (n *port) openConsole(ctx context.Context, tasks *sync.WaitGroup, at netip.Addr) {
	if l, err := n.host.Listen(netip.AddrPortFrom(at, 23)); err == nil {
		tasks.Go(func() { serveConsole(l) })
		context.AfterFunc(ctx, func() { _ = l.Close() }) // it wakes serveConsole
	}
}

// serveConsole greets who connects.
func serveConsole(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("login: ")) // nobody minds when it is lost
		_ = c.Close()
	}
}

// send sends datagrams again and again; to the discard port of the router where no receiver is given.
func (n *port) send(ctx context.Context, to netip.AddrPort, every time.Duration, bytes int) {
	for n.cfg.Clock.Sleep(ctx, every) == nil {
		n.mu.Lock()
		l := n.lease
		n.mu.Unlock()
		if l == nil {
			continue
		}
		at := to
		if !at.IsValid() {
			at = netip.AddrPortFrom(l.router, 9)
		}
		c, err := n.host.ListenPacket(netip.AddrPortFrom(l.addr.Addr(), 0))
		if err != nil {
			continue
		}
		_, _ = c.WriteTo(make([]byte, bytes), net.UDPAddrFromAddrPort(at)) // what is lost is lost
		_ = c.Close()
	}
}
