package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/dns"
	"github.com/shakedown-test/shakedown/world/web"
)

// Meeting is the name in a network without a product at which there is always something to talk to: a web server on port 80, and an
// echo (RFC 862) on port 7 of TCP and UDP.
const Meeting = "hello.example"

// dialLimit is how long, in wall time, a host of this machine's network may take to answer.
const dialLimit = 10 * time.Second

// OpenNetwork puts a world together that has no product: a home network with names, time and leases, for whatever joins it.
func OpenNetwork(clk *clock.Clock, log *evidence.Log, seed uint64) (*Bed, error) {
	b := &Bed{Clock: clk, Log: log, cfg: Config{Seed: seed}}
	if err := b.openNetwork(); err != nil {
		b.Close()
		return nil, fmt.Errorf("open network: %w", err)
	}
	return b, nil
}

func (b *Bed) openNetwork() error {
	at, err := b.openWorld(product.Part{Host: Meeting})
	if err != nil {
		return err
	}
	if err := errors.Join(b.openNames(Meeting, at), b.openTime(Meeting)); err != nil {
		return err
	}
	if err := b.openLeases(); err != nil {
		return err
	}
	return errors.Join(b.serveHello(at), b.serveEcho(at))
}

// serveHello starts the web server. Every path of it is the same page.
func (b *Bed) serveHello(at netip.Addr) error {
	l, err := b.World.Servers.Listen(netip.AddrPortFrom(at, 80))
	if err != nil {
		return err
	}
	page := web.Resource{Type: "text/plain", Body: []byte("Hello from " + Meeting + ", a server inside Shakedown.\n")}
	s := web.New(web.Options{Part: Meeting, Clock: b.Clock, Log: b.Log})
	s.When(web.Rule{Do: func(*web.Request) web.Response { return page.Whole() }})
	b.accept(l, func(_ context.Context, c net.Conn) { s.Serve(c) })
	b.Undo(s.Close)
	return nil
}

// serveEcho starts the echo.
func (b *Bed) serveEcho(at netip.Addr) error {
	echo := netip.AddrPortFrom(at, 7)
	l, err := b.World.Servers.Listen(echo)
	if err != nil {
		return err
	}
	b.accept(l, func(_ context.Context, c net.Conn) {
		_, _ = io.Copy(c, c)
		c.Close()
	})
	udp, err := b.World.Servers.ListenPacket(echo)
	if err != nil {
		return err
	}
	var task sync.WaitGroup
	task.Go(func() {
		for datagram := make([]byte, 64<<10); ; {
			n, from, err := udp.ReadFrom(datagram)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo(datagram[:n], from)
		}
	})
	b.Undo(func() {
		udp.Close()
		task.Wait()
	})
	return nil
}

// accept serves the connections of a listener until Close, which ends them.
func (b *Bed) accept(l net.Listener, handle func(context.Context, net.Conn)) {
	b.Undo(serve(l, handle))
}

// serve serves the connections of a listener until stop, which ends them.
func serve(l net.Listener, handle func(context.Context, net.Conn)) (stop func()) {
	var tasks sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	tasks.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer context.AfterFunc(ctx, func() { c.Close() })()
				handle(ctx, c)
			})
		}
	})
	return func() {
		l.Close()
		cancel()
		tasks.Wait()
	}
}

// Publish gives a name an address in the world. Where to is not empty, what connects there at its port is passed on to it: a host and
// port of this machine's own network.
func (b *Bed) Publish(name, to string) error {
	at, err := b.World.Name(name)
	if err != nil {
		return err
	}
	b.DNS.Zone.Set(name, dns.Records{TTL: NameTTL, A: []netip.Addr{at}})
	if to == "" {
		return b.serveHello(at)
	}
	_, text, err := net.SplitHostPort(to)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return fmt.Errorf("%q is no port from 1 to 65535", text)
	}
	l, err := b.World.Servers.Listen(netip.AddrPortFrom(at, uint16(port)))
	if err != nil {
		return err
	}
	b.accept(l, func(ctx context.Context, c net.Conn) { b.pass(ctx, name, c, to) })
	return nil
}

// pass joins a connection of the world to one of this machine's network.
func (b *Bed) pass(ctx context.Context, name string, c net.Conn, to string) {
	defer c.Close()
	d := net.Dialer{Timeout: dialLimit}
	out, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		b.Log.Add(evidence.Event{Part: name, Kind: evidence.Seen, Text: "cannot be passed on: " + err.Error()})
		return
	}
	defer out.Close()
	defer context.AfterFunc(ctx, func() { out.Close() })()
	b.Log.Add(evidence.Event{Part: name, Kind: evidence.Open, Text: "passed on to " + to})
	var tasks sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, out}, {out, c}} {
		tasks.Go(func() {
			_, err := io.Copy(way[0], way[1])
			if half, ok := way[0].(interface{ CloseWrite() error }); ok && err == nil {
				_ = half.CloseWrite()
				return
			}
			c.Close()
			out.Close()
		})
	}
	tasks.Wait()
}

// Place is where a program can run in the home network. Without an address the program gets one by itself, by DHCP.
func (b *Bed) Place(name string, address bool) join.Place {
	home := b.World.Home()
	p := join.Place{Link: home.Station(name), MAC: net.HardwareAddr{0x02, 0x03, 0, 0, 0, 1}}
	if !address {
		return p
	}
	p.Addresses, p.Routers = []netip.Prefix{home.Address()}, []netip.Addr{home.Router.LAN().Addr()}
	p.Resolvers = b.DNS.Addrs()
	return p
}
