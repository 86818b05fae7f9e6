package join

import (
	"net"
	"net/netip"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Place is where a program runs: at the near end of a link, and what it finds there.
type Place struct {
	Link      *frame.Link           // an Outage of it takes the carrier of the program's interface down
	MAC       net.HardwareAddr      // of its interface, which is called eth0; nil: the kernel's choice
	Addresses []netip.Prefix        // none: the interface is up and bare, for a program with a DHCP client of its own
	Routers   []netip.Addr          // default routes, at most one for each IP version
	Resolvers []netip.Addr          // name servers, in /etc/resolv.conf
	Hosts     map[string]netip.Addr // names in /etc/hosts, beside localhost
}

// wide is the mtu of a program's interface.
const wide = 1500
