package testbed

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/link/join"
	"github.com/shakedown-test/shakedown/product"
)

// seat is where a unit of the device is in the world: one of the two is set, or none where there is no world.
type seat struct {
	host  *internet.Host // of a part in this process
	place *join.Place    // of a program
}

// join gives the n-th unit of the device its seat in the world's home network. A part in this process is without an address where one is
// leased; a program is given one, as a device is that was set up by hand, unless it gets one itself.
func (b *Bed) join(d *Device, n int) (s seat, err error) {
	if b.World == nil {
		return s, nil
	}
	var access *frame.Link
	if d.Part.Network == product.InWorld {
		s.place, access, err = b.place(d, n)
	} else {
		s.host, access, err = b.host(d)
	}
	if err != nil {
		return s, fmt.Errorf("join %s to its home network: %w", d.ID, err)
	}
	if b.Access == nil {
		b.Access = access
		if b.cfg.Capture != nil {
			if err := b.cfg.Capture(access); err != nil {
				return s, fmt.Errorf("capture the link of %s: %w", d.ID, err)
			}
		}
	}
	d.host = s.host
	return s, nil
}

func (b *Bed) host(d *Device) (*internet.Host, *frame.Link, error) {
	if b.DHCP != nil {
		return b.World.Home().BareHost(d.ID) // its address is leased
	}
	return b.World.Home().Host(d.ID)
}

func (b *Bed) place(d *Device, n int) (*join.Place, *frame.Link, error) {
	cloud, err := b.World.Name(d.Part.Host)
	if err != nil {
		return nil, nil, err
	}
	home := b.World.Home()
	p := &join.Place{Link: home.Station(d.ID), MAC: net.HardwareAddr{0x02, 0x03, 0, 0, byte(n >> 8), byte(n)}}
	if d.Part.Local != nil && d.Part.Local.DHCP {
		return p, p.Link, nil
	}
	p.Addresses, p.Routers, p.Resolvers = []netip.Prefix{home.Address()}, []netip.Addr{home.Router.LAN().Addr()}, b.resolvers()
	if len(p.Resolvers) == 0 {
		p.Hosts = map[string]netip.Addr{d.Part.Host: cloud}
	}
	return p, p.Link, nil
}
