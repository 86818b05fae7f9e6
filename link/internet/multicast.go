package internet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// ListenMulticast opens the port of an IPv4 multicast group, joins the group, and sends with that IP TTL. Several programs on a host can
// open the same group. What is sent to it stays on the host's link: routers of a world forward no multicast. A socket does not hear
// itself.
func (h *Host) ListenMulticast(group netip.AddrPort, ttl uint8) (net.PacketConn, error) {
	wq := new(waiter.Queue)
	ep, terr := h.stack.NewEndpoint(udp.ProtocolNumber, number(group.Addr()), wq)
	if terr != nil {
		return nil, fmt.Errorf("join %s: %w", group, errors.New(terr.String()))
	}
	o := ep.SocketOptions()
	o.SetReuseAddress(true)
	o.SetReusePort(true)
	o.SetMulticastLoop(false)
	address := tcpip.AddrFromSlice(group.Addr().AsSlice())
	for _, set := range []func() tcpip.Error{
		func() tcpip.Error { return ep.Bind(tcpip.FullAddress{Port: group.Port()}) },
		func() tcpip.Error { return ep.SetSockOptInt(tcpip.MulticastTTLOption, int(ttl)) },
		func() tcpip.Error { return ep.SetSockOptInt(tcpip.IPv4TTLOption, int(ttl)) },
		func() tcpip.Error { return ep.SetSockOpt(&tcpip.MulticastInterfaceOption{NIC: only}) },
		func() tcpip.Error {
			return ep.SetSockOpt(&tcpip.AddMembershipOption{NIC: only, MulticastAddr: address})
		},
	} {
		if terr := set(); terr != nil {
			ep.Close()
			return nil, fmt.Errorf("join %s: %w", group, errno(errors.New(terr.String())))
		}
	}
	return newPacketConn(wq, ep), nil
}
