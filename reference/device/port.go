package device

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/shakedown-test/shakedown/link/internet"
)

// port configures the device's Ethernet port by DHCP (RFC 2131), from power-on to the end.
type port struct {
	cfg     *Config
	host    *internet.Host
	con     *console
	src     *source
	rng     *rand.Rand
	in      chan *dhcpv4.DHCPv4
	changed chan struct{} // holds one when the lease changed

	last netip.Addr // address of the last lease
	from [6]byte    // Ethernet address of the last answer

	mu    sync.Mutex
	lease *lease
	small bool          // packets are to be small, whatever the lease says
	count int           // how many addresses it had; a connection from an earlier one is dead
	since time.Duration // uptime since when there is no lease
}

// Ports and waits of DHCP.
const (
	dhcpServer   = 67
	dhcpClient   = 68
	dhcpFirst    = 4 * time.Second // RFC 2131, section 4.1
	dhcpMost     = 64 * time.Second
	dhcpDeclined = 10 * time.Second // RFC 2131, section 3.1
	dhcpRequests = 4                // of the same offer
	dhcpRenewGap = time.Minute      // the least pause between two renewals
)

var (
	errNak      = errors.New("the server refuses")
	errNoAnswer = errors.New("no server answers")

	broadcastMAC = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	broadcast    = netip.MustParseAddr("255.255.255.255")
)

func newPort(cfg *Config, con *console, src *source) *port {
	return &port{
		cfg: cfg, host: cfg.Net, con: con, src: src, rng: rand.New(rand.NewPCG(cfg.Seed, 0xd4c9)),
		in: make(chan *dhcpv4.DHCPv4, 8), changed: make(chan struct{}, 1),
	}
}

func (n *port) has(defect string) bool { return n.cfg.Defects[defect] }

// run gets an address and keeps it until ctx ends.
func (n *port) run(ctx context.Context) {
	defer n.host.Tap(n.hear)()
	if err := n.host.SLAAC(n.tell); err != nil {
		n.con.say("network: no IPv6: %v", err)
	}
	defer n.runFlawed(ctx)()
	for tries := 0; ctx.Err() == nil; {
		l, err := n.acquire(ctx, &tries)
		if err != nil {
			continue
		}
		if !n.has("dhcp-no-probe") {
			if taken, err := n.host.Probe(ctx, l.addr.Addr()); err == nil && taken {
				n.con.say("network: %s is in use by someone else", l.addr.Addr())
				n.decline(l)
				_ = n.cfg.Clock.Sleep(ctx, dhcpDeclined) // an error is the end, which the loop sees
				continue
			}
		}
		tries = 0
		n.hold(ctx, l)
	}
}

// hear takes DHCP messages for this device out of what comes in.
func (n *port) hear(frame []byte) {
	_, to, b, ok := internet.Datagram(frame)
	if !ok || to.Port() != dhcpClient || len(b) > usualMTU {
		return
	}
	p, err := dhcpv4.FromBytes(slices.Clone(b))
	if err != nil || p.OpCode != dhcpv4.OpcodeBootReply || !slices.Equal(p.ClientHWAddr, n.host.MAC) {
		return
	}
	n.mu.Lock()
	n.from = [6]byte(frame[6:12])
	n.mu.Unlock()
	select {
	case n.in <- p:
	default:
	}
}

// acquire goes from INIT to BOUND. Tries counts what was sent without success, over several calls.
func (n *port) acquire(ctx context.Context, tries *int) (l lease, err error) {
	var offer *dhcpv4.DHCPv4
	discover := n.message(dhcpv4.MessageTypeDiscover, func(p *dhcpv4.DHCPv4) {
		if n.last.IsValid() {
			p.UpdateOption(dhcpv4.OptRequestedIPAddress(n.last.AsSlice()))
		}
	})
	for offer == nil {
		if *tries >= 4 && n.has("dhcp-gives-up") {
			<-ctx.Done()
			return l, ctx.Err()
		}
		n.broadcast(discover)
		offer, err = n.answer(ctx, discover, n.backoff(*tries), dhcpv4.MessageTypeOffer)
		if err != nil && !errors.Is(err, errNoAnswer) {
			return l, err
		}
		*tries++
	}
	request := n.message(dhcpv4.MessageTypeRequest, func(p *dhcpv4.DHCPv4) {
		p.TransactionID = discover.TransactionID
		p.UpdateOption(dhcpv4.OptRequestedIPAddress(offer.YourIPAddr.To4()))
		p.UpdateOption(dhcpv4.OptServerIdentifier(offer.ServerIdentifier()))
	})
	for i := range dhcpRequests {
		since := n.src.uptime()
		n.broadcast(request)
		ack, err := n.answer(ctx, request, n.backoff(i), dhcpv4.MessageTypeAck)
		switch {
		case ack != nil:
			if l, ok := leaseOf(ack, since); ok {
				return l, nil
			}
			n.con.say("network: a lease of no use")
			return l, errors.Join(errNak, n.cfg.Clock.Sleep(ctx, n.backoff(*tries)))
		case errors.Is(err, errNak):
			return l, errors.Join(err, n.cfg.Clock.Sleep(ctx, n.backoff(*tries)))
		case ctx.Err() != nil:
			return l, ctx.Err()
		}
	}
	return l, errNoAnswer
}

// backoff is 4, 8, 16, 32 and then 64 s, each one second more or less (RFC 2131, section 4.1).
func (n *port) backoff(tries int) time.Duration {
	wait := min(dhcpFirst<<min(tries, 8), dhcpMost)
	if n.has("dhcp-hammer") {
		wait = 500 * time.Millisecond
	}
	return wait + time.Duration((n.rng.Float64()*2-1)*float64(min(wait, time.Second)))
}

// hold uses a lease until it is over.
func (n *port) hold(ctx context.Context, l lease) {
	if err := n.use(l, true); err != nil {
		n.con.say("network: %v", err)
		_ = n.cfg.Clock.Sleep(ctx, dhcpDeclined) // an error is the end, which the caller sees
		return
	}
	conn, err := n.host.ListenPacket(netip.AddrPortFrom(l.addr.Addr(), dhcpClient))
	if err != nil {
		n.con.say("network: %v", err)
	} else {
		defer conn.Close()
	}
	why := n.keep(ctx, conn, l)
	if n.has("dhcp-keeps-expired") && errors.Is(why, errNoAnswer) {
		<-ctx.Done()
	}
	n.drop(l.addr, why)
}

// keep renews a lease until it ends, and says why it did.
func (n *port) keep(ctx context.Context, conn net.PacketConn, l lease) error {
	for at := l.renew; ; {
		if n.has("dhcp-never-renews") {
			at = l.ends
		}
		if err := n.cfg.Clock.Sleep(ctx, at-n.src.uptime()); err != nil {
			return err
		}
		now := n.src.uptime()
		if now >= l.ends {
			return errNoAnswer
		}
		limit := l.rebind
		rebinding := now >= l.rebind || conn == nil || n.has("dhcp-renew-broadcast")
		if now >= l.rebind {
			limit = l.ends
		}
		next := min(now+max((limit-now)/2, dhcpRenewGap), limit)
		ack, err := n.renew(ctx, conn, l, rebinding, next-now)
		switch {
		case errors.Is(err, errNak) && n.has("dhcp-nak-ignored"):
			at = l.ends
			continue
		case errors.Is(err, errNak):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		at = next
		if ack == nil {
			continue
		}
		renewed, ok := leaseOf(ack, now)
		if !ok || renewed.addr != l.addr {
			return errNak
		}
		if n.has("dhcp-options-once") {
			renewed.router, renewed.routes, renewed.dns, renewed.ntp, renewed.mtu = l.router, l.routes, l.dns, l.ntp, l.mtu
		}
		l, at = renewed, renewed.renew
		if err := n.use(l, false); err != nil {
			return err
		}
	}
}

// renew asks to go on with a lease: its server alone, or, rebinding, everybody. Nil: no answer within the wait.
func (n *port) renew(ctx context.Context, conn net.PacketConn, l lease, rebinding bool, wait time.Duration) (*dhcpv4.DHCPv4, error) {
	request := n.message(dhcpv4.MessageTypeRequest, func(p *dhcpv4.DHCPv4) { p.ClientIPAddr = l.addr.Addr().AsSlice() })
	if rebinding {
		n.host.Send(internet.UDPFrame(n.host.MAC, broadcastMAC, netip.AddrPortFrom(l.addr.Addr(), dhcpClient), netip.AddrPortFrom(broadcast, dhcpServer), request.ToBytes()))
	} else if _, err := conn.WriteTo(request.ToBytes(), net.UDPAddrFromAddrPort(netip.AddrPortFrom(l.server, dhcpServer))); err != nil {
		n.con.say("network: renewal not sent: %v", err)
	}
	ack, err := n.answer(ctx, request, wait, dhcpv4.MessageTypeAck)
	if errors.Is(err, errNoAnswer) {
		return nil, nil
	}
	return ack, err
}

// answer waits for the answer to a message.
func (n *port) answer(ctx context.Context, to *dhcpv4.DHCPv4, wait time.Duration, kind dhcpv4.MessageType) (*dhcpv4.DHCPv4, error) {
	over := make(chan struct{})
	timer := n.cfg.Clock.AfterFunc(wait, func() { close(over) })
	defer timer.Stop()
	for {
		select {
		case p := <-n.in:
			switch {
			case p.TransactionID != to.TransactionID:
			case p.MessageType() == dhcpv4.MessageTypeNak && kind == dhcpv4.MessageTypeAck:
				return nil, errNak
			case p.MessageType() == kind:
				return p, nil
			}
		case <-over:
			return nil, errNoAnswer
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// message makes a message of the client.
func (n *port) message(kind dhcpv4.MessageType, change func(*dhcpv4.DHCPv4)) *dhcpv4.DHCPv4 {
	p, err := dhcpv4.New(dhcpv4.WithHwAddr(n.host.MAC), dhcpv4.WithMessageType(kind))
	if err != nil {
		p = &dhcpv4.DHCPv4{OpCode: dhcpv4.OpcodeBootRequest, ClientHWAddr: n.host.MAC, Options: dhcpv4.OptionsFromList(dhcpv4.OptMessageType(kind))}
	}
	x := n.rng.Uint32()
	p.TransactionID = dhcpv4.TransactionID{byte(x >> 24), byte(x >> 16), byte(x >> 8), byte(x)}
	if kind != dhcpv4.MessageTypeDecline {
		p.UpdateOption(dhcpv4.OptHostName("thermostat-" + n.cfg.ID))
		p.UpdateOption(dhcpv4.OptParameterRequestList(dhcpv4.OptionSubnetMask, dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionRouter,
			dhcpv4.OptionDomainNameServer, dhcpv4.OptionInterfaceMTU, dhcpv4.OptionNTPServers, dhcpv4.OptionIPAddressLeaseTime,
			dhcpv4.OptionRenewTimeValue, dhcpv4.OptionRebindingTimeValue))
	}
	change(p)
	return p
}

func (n *port) broadcast(p *dhcpv4.DHCPv4) {
	from, to := netip.AddrPortFrom(netip.IPv4Unspecified(), dhcpClient), netip.AddrPortFrom(broadcast, dhcpServer)
	n.host.Send(internet.UDPFrame(n.host.MAC, broadcastMAC, from, to, p.ToBytes()))
}

// decline tells the server that an address is in use.
func (n *port) decline(l lease) {
	n.broadcast(n.message(dhcpv4.MessageTypeDecline, func(p *dhcpv4.DHCPv4) {
		p.UpdateOption(dhcpv4.OptRequestedIPAddress(l.addr.Addr().AsSlice()))
		p.UpdateOption(dhcpv4.OptServerIdentifier(l.server.AsSlice()))
	}))
}

// smallMTU is that of every IPv6 link (RFC 8200, section 5), and of nearly all others.
const smallMTU = 1280

// fitting is the MTU to use in place of that of a lease.
func (n *port) fitting(mtu int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.small {
		return min(mtu, smallMTU)
	}
	return mtu
}

// narrow has the port send small packets from now on, and ask for them in new connections.
func (n *port) narrow() {
	n.mu.Lock()
	n.small = true
	l := n.lease
	n.mu.Unlock()
	if l != nil {
		n.host.SetMTU(n.fitting(l.mtu))
	}
}

// use configures the port by a lease.
func (n *port) use(l lease, fresh bool) error {
	if fresh {
		if err := n.host.Add(l.addr); err != nil {
			return err
		}
		n.host.Announce(l.addr.Addr())
	}
	if n.has("dhcp-mtu-ignored") {
		l.mtu = usualMTU
	}
	n.host.SetMTU(n.fitting(l.mtu))
	n.host.RouteVia(l.routes)
	if l.router.IsValid() {
		if n.has("arp-static") {
			n.host.Pin(l.router, n.from[:])
		}
		n.host.Route(l.router)
	} else {
		n.host.Route()
	}
	n.mu.Lock()
	n.lease, n.last = &l, l.addr.Addr()
	if fresh {
		n.count++
	}
	n.mu.Unlock()
	n.tell()
	n.con.say("network: %s for %.0f s", l.addr, (l.ends - l.since).Seconds())
	return nil
}

// drop stops using an address.
func (n *port) drop(addr netip.Prefix, why error) {
	if err := n.host.Remove(addr); err != nil {
		n.con.say("network: %v", err)
	}
	n.host.RouteVia(nil)
	n.host.Route()
	n.mu.Lock()
	n.lease, n.since = nil, n.src.uptime()
	n.mu.Unlock()
	n.con.say("network: address lost: %v", why)
	n.tell()
}

func (n *port) tell() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// now is the number of the address that the device has; 0: it has none. A nil port is one that is not the device's business.
func (n *port) now() int {
	if n == nil {
		return 1
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lease == nil {
		return 0
	}
	return n.count
}

// told are the resolvers and time servers of the lease; without any resolver in it, those of router advertisements.
func (n *port) told() (dns, ntp []netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lease != nil {
		dns, ntp = n.lease.dns, n.lease.ntp
	}
	if len(dns) == 0 {
		dns = n.told6()
	}
	return dns, ntp
}

// watch is what changes are told on; nil, which never is ready, without a port of its own.
func (n *port) watch() <-chan struct{} {
	if n == nil {
		return nil
	}
	return n.changed
}
