package dhcp

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a home network with a server on its router, and a bare station that speaks DHCP by frames.
type rig struct {
	*Server
	t     *testing.T
	log   *evidence.Log
	world *internet.World
	host  *internet.Host
	in    chan *dhcpv4.DHCPv4
	mac   net.HardwareAddr // of the frame that the last answer came in
}

func newRig(t *testing.T) *rig {
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	w, err := internet.Open(internet.Config{Clock: clk, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	router := w.Home().Router
	conn, err := router.Host.ListenPacket(netip.AddrPortFrom(netip.IPv4Unspecified(), ServerPort))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, log: log, world: w, in: make(chan *dhcpv4.DHCPv4, 10)}
	r.Server = New(Options{
		Part: "home router", Clock: clk, Log: log, Conn: conn,
		Raw: func(mac net.HardwareAddr, from, to netip.AddrPort, b []byte) {
			router.Host.Send(internet.UDPFrame(router.MAC(), mac, from, to, b))
		},
		Leases: Leases{Router: router.LAN(), Lease: time.Hour, DNS: []netip.Addr{router.LAN().Addr()}, NTP: []netip.Addr{netip.MustParseAddr("203.0.113.123")}},
	})
	t.Cleanup(r.Close)
	if r.host, _, err = w.Home().BareHost("client"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.host.Tap(func(f []byte) {
		_, to, b, ok := internet.Datagram(f)
		if !ok || to.Port() != ClientPort {
			return
		}
		if p, err := dhcpv4.FromBytes(slices.Clone(b)); err == nil {
			r.mac = slices.Clone(net.HardwareAddr(f[:6]))
			r.in <- p
		}
	}))
	return r
}

// say sends a message and returns the answer, or nil when none comes.
func (r *rig) say(kind dhcpv4.MessageType, with ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	r.t.Helper()
	return r.hear(r.send(kind, with...), 5*time.Second)
}

// unanswered sends a message to which there is no answer.
func (r *rig) unanswered(kind dhcpv4.MessageType, with ...dhcpv4.Modifier) {
	r.t.Helper()
	if a := r.hear(r.send(kind, with...), 200*time.Millisecond); a != nil {
		r.t.Errorf("%s is answered: %v", kind, a)
	}
}

func (r *rig) send(kind dhcpv4.MessageType, with ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	r.t.Helper()
	p, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(r.host.MAC), dhcpv4.WithMessageType(kind)}, with...)...)
	if err != nil {
		r.t.Fatal(err)
	}
	from, to := netip.AddrPortFrom(netip.IPv4Unspecified(), ClientPort), netip.AddrPortFrom(everybody, ServerPort)
	r.host.Send(internet.UDPFrame(r.host.MAC, net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, from, to, p.ToBytes()))
	return p
}

func (r *rig) hear(p *dhcpv4.DHCPv4, within time.Duration) *dhcpv4.DHCPv4 {
	r.t.Helper()
	select {
	case a := <-r.in:
		if a.TransactionID != p.TransactionID {
			r.t.Error("the answer has another transaction id")
		}
		return a
	case <-time.After(within):
		return nil
	}
}

func (r *rig) lease() netip.Addr {
	r.t.Helper()
	offer := r.say(dhcpv4.MessageTypeDiscover)
	if offer == nil || offer.MessageType() != dhcpv4.MessageTypeOffer {
		r.t.Fatalf("no offer: %v", offer)
	}
	ack := r.say(dhcpv4.MessageTypeRequest, want(addrOf(offer.YourIPAddr)), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(offer.ServerIdentifier())))
	if ack == nil || ack.MessageType() != dhcpv4.MessageTypeAck || !ack.YourIPAddr.Equal(offer.YourIPAddr) {
		r.t.Fatalf("no lease: %v", ack)
	}
	return addrOf(ack.YourIPAddr)
}

func want(a netip.Addr) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(a.AsSlice()))
}

func has(a netip.Addr) dhcpv4.Modifier { return dhcpv4.WithClientIP(a.AsSlice()) }

func TestLease(t *testing.T) {
	r := newRig(t)
	a := r.lease()
	if !r.Leases().inPool(a) || r.Leased(r.host.MAC) != a {
		t.Errorf("leased %s", a)
	}
	if !slices.Equal(r.mac, r.host.MAC) {
		t.Errorf("the answer was sent to %s, want the client alone", r.mac)
	}
	r.say(dhcpv4.MessageTypeDiscover, dhcpv4.WithBroadcast(true))
	if r.mac[0] != 0xff {
		t.Errorf("the answer was sent to %s, want everybody", r.mac)
	}
	if again := r.lease(); again != a {
		t.Errorf("the same client gets %s after %s", again, a)
	}
	other, err := net.ParseMAC("02:02:00:00:00:99")
	if err != nil {
		t.Fatal(err)
	}
	if offer := r.say(dhcpv4.MessageTypeDiscover, dhcpv4.WithHwAddr(other), want(a)); addrOf(offer.YourIPAddr) == a {
		t.Error("an address is leased twice")
	}
	if nak := r.say(dhcpv4.MessageTypeRequest, want(netip.MustParseAddr("10.1.1.1"))); nak.MessageType() != dhcpv4.MessageTypeNak || r.mac[0] != 0xff {
		t.Errorf("an address of another network: %v", nak)
	}
	r.unanswered(dhcpv4.MessageTypeRelease, has(a))
	if r.Leased(r.host.MAC).IsValid() {
		t.Error("what was released is still leased")
	}
	a = r.lease()
	r.unanswered(dhcpv4.MessageTypeDecline, want(a))
	if again := r.lease(); again == a {
		t.Error("what was declined is leased again")
	}
}

func TestRenewal(t *testing.T) {
	r := newRig(t)
	a := r.lease()
	if err := r.host.Add(netip.PrefixFrom(a, 24)); err != nil {
		t.Fatal(err)
	}
	r.host.Route()
	c, err := r.host.ListenPacket(netip.AddrPortFrom(a, ClientPort))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, _ := dhcpv4.New(dhcpv4.WithHwAddr(r.host.MAC), dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest), has(a))
	if _, err := c.WriteTo(p.ToBytes(), &net.UDPAddr{IP: net.IP(r.Leases().Router.Addr().AsSlice()), Port: ServerPort}); err != nil {
		t.Fatal(err)
	}
	if ack := r.hear(p, 5*time.Second); ack == nil || ack.MessageType() != dhcpv4.MessageTypeAck {
		t.Fatalf("renewal: %v", ack)
	}
	var last Message
	for _, e := range r.log.Since(0) {
		if m, ok := e.Data.(Message); ok && e.Kind == evidence.In {
			last = m
		}
	}
	if !last.Unicast || !last.Renews() || last.Client != a {
		t.Errorf("it was recorded as %+v", last)
	}
}

func TestOptions(t *testing.T) {
	r := newRig(t)
	undo := r.Set(func(l *Leases) {
		l.MTU, l.Domain, l.NoRouter = 1400, "home.example", true
		l.Routes = []Route{{netip.MustParsePrefix("0.0.0.0/0"), l.Router.Addr()}, {netip.MustParsePrefix("10.20.0.0/16"), l.Router.Addr()}}
		l.Renew, l.Rebind = time.Minute, 2*time.Minute
	})
	o := r.say(dhcpv4.MessageTypeDiscover)
	if len(o.DNS()) != 1 || len(o.NTPServers()) != 1 || o.DomainName() != "home.example" || len(o.ClasslessStaticRoute()) != 2 || len(o.Router()) != 0 {
		t.Errorf("options: %s", o.Summary())
	}
	if mtu, err := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, o.Options); err != nil || mtu != 1400 {
		t.Errorf("MTU %d, %v", mtu, err)
	}
	if o.IPAddressLeaseTime(0) != time.Hour || o.IPAddressRenewalTime(0) != time.Minute || o.IPAddressRebindingTime(0) != 2*time.Minute {
		t.Errorf("times: %s", o.Summary())
	}
	undo()
	if o := r.say(dhcpv4.MessageTypeDiscover); o.DomainName() != "" || len(o.Router()) != 1 {
		t.Errorf("after the undo: %s", o.Summary())
	}
	for lease, want := range map[time.Duration]time.Duration{Never: 0, Infinite: Infinite, 0: 24 * time.Hour} {
		undo := r.Set(func(l *Leases) { l.Lease = lease })
		if got := r.say(dhcpv4.MessageTypeDiscover).IPAddressLeaseTime(time.Second); got != want {
			t.Errorf("lease %s: %s", lease, got)
		}
		undo()
	}
}

func TestKind(t *testing.T) {
	a := netip.MustParseAddr("192.168.1.100")
	for want, m := range map[string]Message{
		"DISCOVER": {Type: "DISCOVER"}, "REQUEST": {Type: "REQUEST", Requested: a}, "INFORM": {Type: "INFORM", Client: a, Unicast: true},
		"RENEW": {Type: "REQUEST", Client: a, Unicast: true}, "REBIND": {Type: "REQUEST", Client: a},
	} {
		if got := m.Kind(); got != want {
			t.Errorf("%+v is %s, want %s", m, got, want)
		}
	}
}

func TestMisbehaviour(t *testing.T) {
	r := newRig(t)
	a := r.lease()
	undo := r.Set(func(l *Leases) { l.Silent = Everything })
	r.unanswered(dhcpv4.MessageTypeDiscover)
	undo()
	undo = r.Set(func(l *Leases) { l.Silent = []string{"REBIND"} })
	r.unanswered(dhcpv4.MessageTypeRequest, has(a))
	if r.say(dhcpv4.MessageTypeRequest, want(a)) == nil {
		t.Error("silent for what is no renewal too")
	}
	undo()
	undo = r.Set(func(l *Leases) { l.Refuse = true })
	if n := r.say(dhcpv4.MessageTypeRequest, has(a)); n == nil || n.MessageType() != dhcpv4.MessageTypeNak {
		t.Errorf("refuse: %v", n)
	}
	undo()
	taken := netip.MustParseAddr("192.168.1.77")
	undo = r.Set(func(l *Leases) { l.Offer = taken })
	if got := r.lease(); got != taken {
		t.Errorf("offers %s, want %s", got, taken)
	}
	undo()
	undo = r.Set(func(l *Leases) { l.Slow = 100 * time.Millisecond })
	start := time.Now()
	if r.say(dhcpv4.MessageTypeDiscover) == nil || time.Since(start) < 100*time.Millisecond {
		t.Error("slow: not so")
	}
	undo()
	r.Forget()
	if r.Leased(r.host.MAC).IsValid() {
		t.Error("nothing was forgotten")
	}
}

func TestBad(t *testing.T) {
	r := newRig(t)
	from, to := netip.AddrPortFrom(netip.IPv4Unspecified(), ClientPort), netip.AddrPortFrom(everybody, ServerPort)
	r.host.Send(internet.UDPFrame(r.host.MAC, net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, from, to, []byte("hello")))
	if _, err := r.log.Await(t.Context(), 0, func(e evidence.Event) bool {
		return e.Kind == evidence.Bad && strings.Contains(e.Text, "no DHCP request")
	}); err != nil {
		t.Error(err)
	}
	if r.lease(); t.Failed() {
		t.Error("it does not serve afterwards")
	}
}

func FuzzMessage(f *testing.F) {
	p, _ := dhcpv4.NewDiscovery(net.HardwareAddr{2, 0, 0, 0, 0, 1}, dhcpv4.WithRequestedOptions(dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer))
	f.Add(p.ToBytes())
	p.UpdateOption(dhcpv4.OptMessageType(dhcpv4.MessageTypeRequest))
	p.UpdateOption(dhcpv4.OptRequestedIPAddress(net.IP{192, 168, 1, 100}))
	f.Add(p.ToBytes())
	f.Add([]byte("hello"))
	l := Leases{Router: netip.MustParsePrefix("192.168.1.1/24"), MTU: 1400, DNS: []netip.Addr{netip.MustParseAddr("192.168.1.1")}}
	s := &Server{o: Options{Clock: clock.New(1)}, leases: map[netip.Addr]lease{}}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, m, err := decode(b)
		if err != nil {
			return
		}
		_ = m.String()
		if r := s.decide(l, p, m); r != nil {
			if _, err := dhcpv4.FromBytes(r.ToBytes()); err != nil {
				t.Errorf("the answer does not decode: %v", err)
			}
		}
		if len(s.leases) > maxLeases {
			t.Errorf("%d leases", len(s.leases))
		}
	})
}
