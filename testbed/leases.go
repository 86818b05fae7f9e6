package testbed

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/dhcp"
)

// openLeases starts the DHCP server on the router of the home network, which tells of the world's resolvers and time servers.
func (b *Bed) openLeases() error {
	router := b.World.Home().Router
	conn, err := router.Host.ListenPacket(netip.AddrPortFrom(netip.IPv4Unspecified(), dhcp.ServerPort))
	if err != nil {
		return fmt.Errorf("open DHCP server: %w", err)
	}
	b.DHCP = dhcp.New(dhcp.Options{
		Part: "router dhcp", Clock: b.Clock, Log: b.Log, Conn: conn,
		Raw: func(mac net.HardwareAddr, from, to netip.AddrPort, payload []byte) {
			router.Host.Send(internet.UDPFrame(router.MAC(), mac, from, to, payload))
		},
		Leases: dhcp.Leases{Router: router.LAN(), DNS: b.resolvers(), NTP: b.NTP.Addrs},
	})
	b.Undo(b.DHCP.Close)
	return nil
}
