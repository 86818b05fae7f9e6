package join

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Readdress changes what a running program finds at its interface and in /etc/resolv.conf to what the place says now. Connections from
// an address that is gone hang, as on a machine whose administrator changed it. It fails when the program changed its address itself.
// Call it after Enter, from one goroutine at a time.
func (p *Program) Readdress(to Place) error {
	if p == nil {
		return errors.New("change the program's address: it has no network of its own")
	}
	text, err := json.Marshal(order{Addresses: to.Addresses, Routers: to.Routers, Resolvers: to.Resolvers})
	if err != nil || len(text) > largest {
		return fmt.Errorf("change the program's address: %d bytes of settings: %w", len(text), err)
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	if _, err := p.conn.Write(text); err != nil {
		return fmt.Errorf("change the program's address: %w", err)
	}
	n, files, err := receive(p.conn)
	closeAll(files)
	switch {
	case err != nil:
		return fmt.Errorf("change the program's address: it ended: %w", err)
	case n.Status != "":
		p.said = n.Status
		return fmt.Errorf("change the program's address: it ended: %s", n.Status)
	case n.Error != "":
		return fmt.Errorf("change the program's address: %s", n.Error)
	}
	return nil
}

// readdress carries an order out that came after the program was started, and says how that went.
func (f *first) readdress(text []byte) (n notice) {
	var o order
	err := json.Unmarshal(text, &o)
	if err == nil {
		err = f.settle(o)
	}
	if err != nil {
		n.Error = err.Error()
		return n
	}
	n.Ready = true
	return n
}

// settle puts the addresses, routes and resolvers of an order in the place of those of the order before.
func (f *first) settle(o order) error {
	tap, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("find %s: %w", device, err)
	}
	// The old ones go first: an address beside another of the same network would go with it.
	for _, a := range f.now.Addresses {
		if slices.Contains(o.Addresses, a) {
			continue
		}
		if err := netlink.AddrDel(tap, &netlink.Addr{IPNet: network(a)}); err != nil {
			return fmt.Errorf("take the address %s from %s: %w", a, device, err)
		}
	}
	for _, r := range f.now.Routers {
		if err := netlink.RouteDel(routeBy(tap, r)); err != nil && !errors.Is(err, unix.ESRCH) { // it went with the address
			return fmt.Errorf("take the route by %s away: %w", r, err)
		}
	}
	before := f.now.Addresses
	f.now = o
	for _, a := range o.Addresses {
		if slices.Contains(before, a) {
			continue
		}
		if err := netlink.AddrAdd(tap, &netlink.Addr{IPNet: network(a), Flags: unix.IFA_F_NODAD}); err != nil {
			return fmt.Errorf("give %s the address %s: %w", device, a, err)
		}
	}
	for _, r := range o.Routers {
		if err := netlink.RouteAdd(routeBy(tap, r)); err != nil {
			return fmt.Errorf("route by %s: %w", r, err)
		}
	}
	if err := os.WriteFile("/etc/resolv.conf", []byte(resolvConf(o.Resolvers)), 0o644); err != nil {
		return fmt.Errorf("name the resolvers: %w", err)
	}
	return nil
}

// routeBy is the default route by a router.
func routeBy(tap netlink.Link, r netip.Addr) *netlink.Route {
	all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if r.Is6() {
		all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	return &netlink.Route{LinkIndex: tap.Attrs().Index, Dst: network(all), Gw: net.IP(r.AsSlice())}
}
