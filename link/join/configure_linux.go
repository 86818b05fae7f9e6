package join

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// device is the name of a program's interface.
const device = "eth0"

// backlog is how many frames of a program may wait for the pump.
const backlog = 4096

// openTAP makes the interface, and gives the file that its frames are read from and written to.
func openTAP() (int, error) {
	const clone = "/dev/net/tun"
	fd, err := unix.Open(clone, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", clone, err)
	}
	request, err := unix.NewIfreq(device)
	if err != nil {
		return 0, err
	}
	request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		unix.Close(fd)
		return 0, fmt.Errorf("make interface %s: %w", device, err)
	}
	return fd, nil
}

// configure sets the loopback and the interface up.
func configure(o order) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	tap, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("find %s: %w", device, err)
	}
	if len(o.MAC) > 0 {
		if err := netlink.LinkSetHardwareAddr(tap, o.MAC); err != nil {
			return fmt.Errorf("give %s the address %s: %w", device, net.HardwareAddr(o.MAC), err)
		}
	}
	if err := errors.Join(netlink.LinkSetTxQLen(tap, backlog), netlink.LinkSetMTU(tap, wide)); err != nil {
		return fmt.Errorf("set up %s: %w", device, err)
	}
	for _, a := range o.Addresses {
		if err := netlink.AddrAdd(tap, &netlink.Addr{IPNet: network(a), Flags: unix.IFA_F_NODAD}); err != nil {
			return fmt.Errorf("give %s the address %s: %w", device, a, err)
		}
	}
	if err := netlink.LinkSetUp(tap); err != nil {
		return fmt.Errorf("set %s up: %w", device, err)
	}
	for _, r := range o.Routers {
		if err := netlink.RouteAdd(routeBy(tap, r)); err != nil {
			return fmt.Errorf("route by %s: %w", r, err)
		}
	}
	return nil
}

// network is a prefix with all bits of its address.
func network(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// present reports whether this machine has the file.
func present(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
