package device

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// ack is an answer of a server with the usual options, changed.
func ack(change func(*dhcpv4.DHCPv4)) *dhcpv4.DHCPv4 {
	p := &dhcpv4.DHCPv4{YourIPAddr: net.IP{192, 168, 1, 100}, Options: dhcpv4.Options{}}
	p.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(24, 32)))
	p.UpdateOption(dhcpv4.OptIPAddressLeaseTime(time.Hour))
	p.UpdateOption(dhcpv4.OptRouter(net.IP{192, 168, 1, 1}))
	p.UpdateOption(dhcpv4.OptServerIdentifier(net.IP{192, 168, 1, 1}))
	change(p)
	return p
}

func TestLeaseOf(t *testing.T) {
	const since = time.Minute
	l, ok := leaseOf(ack(func(*dhcpv4.DHCPv4) {}), since)
	if !ok || l.addr.String() != "192.168.1.100/24" || l.router.String() != "192.168.1.1" || l.mtu != usualMTU {
		t.Errorf("%+v, %t", l, ok)
	}
	if l.renew != since+30*time.Minute || l.rebind != since+time.Hour*7/8 || l.ends != since+time.Hour {
		t.Errorf("times: %s %s %s", l.renew, l.rebind, l.ends)
	}
	for name, change := range map[string]func(*dhcpv4.DHCPv4){
		"no lease time":  func(p *dhcpv4.DHCPv4) { p.UpdateOption(dhcpv4.OptIPAddressLeaseTime(0)) },
		"no address":     func(p *dhcpv4.DHCPv4) { p.YourIPAddr = net.IPv4zero },
		"a loopback":     func(p *dhcpv4.DHCPv4) { p.YourIPAddr = net.IP{127, 0, 0, 1} },
		"no subnet mask": func(p *dhcpv4.DHCPv4) { p.UpdateOption(dhcpv4.OptSubnetMask(net.IPMask{})) },
		"an empty mask":  func(p *dhcpv4.DHCPv4) { p.UpdateOption(dhcpv4.OptSubnetMask(net.CIDRMask(0, 32))) },
	} {
		if l, ok := leaseOf(ack(change), since); ok {
			t.Errorf("%s: %+v", name, l)
		}
	}
	l, _ = leaseOf(ack(func(p *dhcpv4.DHCPv4) { p.UpdateOption(dhcpv4.OptIPAddressLeaseTime(0xffffffff * time.Second)) }), since)
	if l.renew != never || l.ends != never {
		t.Errorf("for ever: %s %s", l.renew, l.ends)
	}
	l, _ = leaseOf(ack(func(p *dhcpv4.DHCPv4) { // times that contradict each other
		p.UpdateOption(dhcpv4.OptRenewTimeValue(2 * time.Hour))
		p.UpdateOption(dhcpv4.OptRebindingTimeValue(time.Minute))
	}), since)
	if l.renew != since+30*time.Minute || l.rebind <= l.renew || l.rebind > l.ends {
		t.Errorf("contradictory times: %s %s", l.renew, l.rebind)
	}
}

// RFC 3442: with classless routes the router of option 3 does not count.
func TestLeaseRoutes(t *testing.T) {
	via := net.IP{192, 168, 1, 2}
	wide, err := netip.ParsePrefix("10.20.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	l, ok := leaseOf(ack(func(p *dhcpv4.DHCPv4) {
		p.UpdateOption(dhcpv4.OptClasslessStaticRoute(
			&dhcpv4.Route{Dest: &net.IPNet{IP: net.IP{10, 20, 0, 0}, Mask: net.CIDRMask(16, 32)}, Router: via},
		))
	}), 0)
	if !ok || l.router.IsValid() || l.routes[wide] != netip.AddrFrom4([4]byte(via)) {
		t.Errorf("%+v", l)
	}
	l, _ = leaseOf(ack(func(p *dhcpv4.DHCPv4) {
		p.UpdateOption(dhcpv4.OptClasslessStaticRoute(&dhcpv4.Route{Dest: &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, Router: via}))
	}), 0)
	if l.router != netip.AddrFrom4([4]byte(via)) {
		t.Errorf("the default route: %+v", l)
	}
}

// RFC 2131, section 4.1: 4, 8, 16, 32 and then 64 s, each one second more or less.
func TestPortBackoff(t *testing.T) {
	n := &port{cfg: &Config{}, rng: rand.New(rand.NewPCG(1, 1))}
	for tries, want := range []time.Duration{4, 8, 16, 32, 64, 64, 64} {
		for range 50 {
			if got := n.backoff(tries); got < (want-1)*time.Second || got > (want+1)*time.Second {
				t.Errorf("wait %d is %s, want %d s", tries+1, got, want)
			}
		}
	}
}
