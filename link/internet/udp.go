package internet

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// packetConn is a UDP socket with the errors of the kernel.
type packetConn struct {
	*gonet.UDPConn
	ep     tcpip.Endpoint // nil where it was dialled
	wq     *waiter.Queue  // nil where it was dialled
	closed atomic.Bool
}

func (h *Host) openUDP(at tcpip.FullAddress, version tcpip.NetworkProtocolNumber) (*packetConn, error) {
	wq := new(waiter.Queue)
	ep, terr := h.stack.NewEndpoint(udp.ProtocolNumber, version, wq)
	if terr != nil {
		return nil, errors.New(terr.String())
	}
	ep.SocketOptions().SetBroadcast(true)
	ep.SocketOptions().SetV6Only(true) // all addresses of IPv6 are none of IPv4
	ep.SocketOptions().SetReceivePacketInfo(true)
	if terr := ep.Bind(at); terr != nil {
		ep.Close()
		return nil, errno(errors.New(terr.String()))
	}
	return newPacketConn(wq, ep), nil
}

func newPacketConn(wq *waiter.Queue, ep tcpip.Endpoint) *packetConn {
	return &packetConn{UDPConn: gonet.NewUDPConn(wq, ep), ep: ep, wq: wq}
}

// ReadFrom implements net.PacketConn.
func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.UDPConn.ReadFrom(b)
	if err != nil && c.closed.Load() {
		err = net.ErrClosed
	}
	return n, from, errno(err)
}

// ReadFromTo is ReadFrom with the IPv4 address that the datagram was sent to, which may be that of everybody. It does not heed read
// deadlines.
func (c *packetConn) ReadFromTo(b []byte) (n int, from net.Addr, to netip.Addr, err error) {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents | waiter.EventHUp)
	c.wq.EventRegister(&entry)
	defer c.wq.EventUnregister(&entry)
	for {
		w := tcpip.SliceWriter(b)
		r, terr := c.ep.Read(&w, tcpip.ReadOptions{NeedRemoteAddr: true})
		if terr == nil {
			if r.ControlMessages.HasIPPacketInfo {
				to = addrOf(r.ControlMessages.PacketInfo.DestinationAddr)
			}
			return r.Count, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addrOf(r.RemoteAddr.Addr), r.RemoteAddr.Port)), to, nil
		}
		if c.closed.Load() {
			return 0, nil, to, net.ErrClosed
		}
		if _, wait := terr.(*tcpip.ErrWouldBlock); !wait {
			return 0, nil, to, errno(errors.New(terr.String()))
		}
		<-ready
	}
}

// Read implements net.Conn.
func (c *packetConn) Read(b []byte) (int, error) {
	n, _, err := c.ReadFrom(b)
	return n, err
}

// WriteTo implements net.PacketConn.
func (c *packetConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if a, ok := to.(*net.UDPAddr); ok && a.IP.To4() != nil { // the stack takes four bytes for IPv4
		to = &net.UDPAddr{IP: a.IP.To4(), Port: a.Port}
	}
	n, err := c.UDPConn.WriteTo(b, to)
	return n, errno(err)
}

// Close implements net.PacketConn, and wakes who reads.
func (c *packetConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	err := c.UDPConn.Close()
	return errors.Join(err, c.SetDeadline(time.Unix(1, 0)))
}

// Join has the socket take what is sent to a multicast group.
func (c *packetConn) Join(group net.IP) error {
	o := tcpip.AddMembershipOption{NIC: only, MulticastAddr: tcpip.AddrFromSlice(shortest(group))}
	if terr := c.ep.SetSockOpt(&o); terr != nil {
		return errno(errors.New(terr.String()))
	}
	return nil
}

func shortest(ip net.IP) net.IP {
	if v4 := ip.To4(); v4 != nil {
		return v4
	}
	return ip
}
