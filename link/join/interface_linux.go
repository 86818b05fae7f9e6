package join

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Interface moves frames between the near end of a link and a network interface of this machine, behind which is a physical device:
// whatever else is joined to the link's network is the device's network from then on. It needs the right to open raw sockets and to set
// up interfaces (root, or CAP_NET_RAW and CAP_NET_ADMIN). It refuses an interface that this machine itself uses. Leave gives the
// interface back as it was.
func Interface(name string, l *frame.Link) (leave func(), err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("join interface %s: %w", name, err)
		}
	}()
	nic, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("%w\nhint: this machine has %v", err, interfaces())
	}
	if err := unused(nic); err != nil {
		return nil, err
	}
	undo, err := quiet(nic)
	if err != nil {
		return nil, err
	}
	socket, err := openRaw(nic)
	if err != nil {
		undo()
		return nil, err
	}
	_, stop, err := pump(socket, l, offloads, complete)
	if err != nil {
		undo()
		return nil, err
	}
	return sync.OnceFunc(func() {
		stop(false)
		undo()
	}), nil
}

// interfaces are the names of those that could be joined.
func interfaces() (names []string) {
	all, err := netlink.LinkList()
	if err != nil {
		return nil
	}
	for _, nic := range all {
		if unused(nic) == nil {
			names = append(names, nic.Attrs().Name)
		}
	}
	return names
}

// unused fails when this machine speaks through the interface itself.
func unused(nic netlink.Link) error {
	a := nic.Attrs()
	if a.Flags&net.FlagLoopback != 0 {
		return errors.New("it is the loopback\nhint: name the interface that the device is plugged into")
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("list routes: %w", err)
	}
	for _, r := range routes {
		whole := r.Dst == nil
		if !whole {
			ones, _ := r.Dst.Mask.Size()
			whole = ones == 0
		}
		over := r.LinkIndex == a.Index || slices.ContainsFunc(r.MultiPath, func(n *netlink.NexthopInfo) bool { return n.LinkIndex == a.Index })
		if whole && over {
			return errors.New("it carries this machine's default route\nhint: plug the device into a second interface, such as a USB network adapter")
		}
	}
	if a.MasterIndex != 0 {
		return errors.New("it is part of a bridge or bond\nhint: take it out: sudo ip link set " + a.Name + " nomaster")
	}
	addresses, err := netlink.AddrList(nic, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	for _, address := range addresses {
		if !address.IP.IsLinkLocalUnicast() {
			return fmt.Errorf("this machine has the address %s on it\nhint: sudo nmcli device set %s managed no; sudo ip address flush dev %s", address.IPNet, a.Name, a.Name)
		}
	}
	return nil
}

// quiet sets the interface up and keeps this machine's own IP from speaking on it.
func quiet(nic netlink.Link) (undo func(), err error) {
	a := nic.Attrs()
	var undos []func()
	all := func() {
		for _, u := range slices.Backward(undos) {
			u()
		}
	}
	defer func() {
		if err != nil {
			all()
		}
	}()
	setting := "/proc/sys/net/ipv6/conf/" + a.Name + "/disable_ipv6"
	if was, err := os.ReadFile(setting); err == nil { // else there is no IPv6
		if err := os.WriteFile(setting, []byte("1"), 0o644); err != nil {
			return nil, fmt.Errorf("keep IPv6 of this machine off it: %w\nhint: run as root", err)
		}
		undos = append(undos, func() { _ = os.WriteFile(setting, was, 0o644) })
	}
	apart, err := asTheyCame(a.Name)
	if err != nil {
		return nil, err
	}
	undos = append(undos, apart)
	if a.Flags&net.FlagUp == 0 {
		if err := netlink.LinkSetUp(nic); err != nil {
			return nil, fmt.Errorf("set it up: %w\nhint: run as root", err)
		}
		undos = append(undos, func() { _ = netlink.LinkSetDown(nic) })
	}
	return all, nil
}

// openRaw opens a socket for all frames of the interface, whoever they are for (packet(7)).
func openRaw(nic netlink.Link) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a raw socket: %w\nhint: run as root, or: sudo setcap cap_net_raw,cap_net_admin+ep shakedown", err)
	}
	index := nic.Attrs().Index
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1),
		unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: bigEndian(unix.ETH_P_ALL), Ifindex: index}),
		unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}),
	)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open a raw socket: %w\nhint: it needs root and Linux 4.20 or newer", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20) // without it bursts may be lost
	return os.NewFile(uintptr(fd), nic.Attrs().Name), nil
}

// bigEndian is a number as the kernel takes it in network order.
func bigEndian(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}
