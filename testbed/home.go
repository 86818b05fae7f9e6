package testbed

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/world/mdns"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// Neighbour opens a neighbour of the device that speaks multicast DNS, and has the multicast DNS of the home network recorded from now
// on, as events of the part "mdns": what comes from others than the neighbour is of kind In. It returns the neighbour and its address.
func (b *Bed) Neighbour() (*mdns.Responder, netip.Addr, error) {
	home := b.World.Home()
	host, _, err := home.Host("neighbour")
	if err != nil {
		return nil, netip.Addr{}, err
	}
	conn, err := host.ListenMulticast(mdns.Group, mdns.TTL)
	if err != nil {
		return nil, netip.Addr{}, err
	}
	o := mdns.Options{Clock: b.Clock, Log: b.Log}
	addr := host.Addresses()[0].Addr()
	mdns.Watch(home.Station("mdns"), o, addr)
	r := mdns.Serve(conn, o)
	b.Undo(r.Close)
	return r, addr, nil
}

// publicWAN is an address of the internet at large. Client libraries such as miniupnpc take a gateway for one without a connection whose
// outer address is one for documentation or for private use, as all other addresses of a world are.
var publicWAN = netip.MustParseAddr("11.22.33.44")

// Gateway has the router of the home network open ports by UPnP, with events of the part "igd". The router has another address to the
// internet from then on, and its mappings are lost: call it before the device is started.
func (b *Bed) Gateway() (*upnp.Gateway, error) {
	g, err := upnp.Open(upnp.Options{Router: b.World.Home().Router, Clock: b.Clock, Log: b.Log})
	if err != nil {
		return nil, err
	}
	b.Undo(g.Close)
	b.World.Readdress(b.World.Home(), publicWAN)
	return g, nil
}

// Readdress gives the device another address in its home network, as a new lease would, and returns it. The error is driver.ErrCannot
// where its address is its own affair.
func (d *Device) Readdress() (netip.Addr, error) {
	r, ok := d.drv.(driver.Readdresser)
	if d.bed.World == nil || d.host == nil && !ok {
		return netip.Addr{}, fmt.Errorf("give %s another address: %w", d.Part.Name, driver.ErrCannot)
	}
	now := d.bed.World.Home().Address()
	if d.host == nil {
		return now.Addr(), r.Readdress(now)
	}
	was := slices.DeleteFunc(d.host.Addresses(), func(p netip.Prefix) bool { return !p.Addr().Is4() })
	if err := d.host.Add(now); err != nil {
		return now.Addr(), err
	}
	for _, p := range was {
		if err := d.host.Remove(p); err != nil {
			return now.Addr(), err
		}
	}
	return now.Addr(), nil
}
