package device

import (
	"net"
	"net/netip"
	"time"
)

// fourWait is how long an IPv4 address is waited for in a network that has IPv6: as long as that may take where there is one.
const fourWait = 8 * time.Second

// four reports whether the device has an IPv4 address.
func (n *port) four() bool { return n.now() != 0 }

// told6 are the resolvers that router advertisements told of.
func (n *port) told6() []netip.Addr {
	if n.has("ipv6-no-resolver") {
		return nil
	}
	return n.host.AutoDNS()
}

// ready reports whether there is a network to use: with IPv4, or, where no IPv4 address came, with IPv6 and a resolver.
func (n *port) ready() bool {
	if n.now() != 0 {
		return true
	}
	return n.src.uptime() >= n.patience() && len(n.host.Auto()) > 0 && len(n.told6()) > 0
}

// readyAt is when there may be a network without anybody telling; never, when that is past.
func (n *port) readyAt(up time.Duration) time.Duration {
	if at := n.patience(); at > up {
		return at
	}
	return never
}

// patience is until when IPv4 is waited for.
func (n *port) patience() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.since + fourWait
}

// lost reports whether the address of a connection is gone. One over IPv6 is not bound to the lease.
func (n *port) lost(l *link) bool { return !l.six && l.at != n.now() }

// overIPv6 reports whether a connection is over IPv6.
func overIPv6(c net.Conn) bool {
	at, err := netip.ParseAddrPort(c.LocalAddr().String())
	return err == nil && at.Addr().Is6() && !at.Addr().Is4In6()
}
