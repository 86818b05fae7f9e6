package internet

import (
	"errors"
	"net"
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
	closed atomic.Bool
}

func (h *Host) openUDP(at tcpip.FullAddress, version tcpip.NetworkProtocolNumber) (*packetConn, error) {
	wq := new(waiter.Queue)
	ep, terr := h.stack.NewEndpoint(udp.ProtocolNumber, version, wq)
	if terr != nil {
		return nil, errors.New(terr.String())
	}
	ep.SocketOptions().SetBroadcast(true)
	if terr := ep.Bind(at); terr != nil {
		ep.Close()
		return nil, errno(errors.New(terr.String()))
	}
	return newPacketConn(wq, ep), nil
}

func newPacketConn(wq *waiter.Queue, ep tcpip.Endpoint) *packetConn {
	return &packetConn{UDPConn: gonet.NewUDPConn(wq, ep), ep: ep}
}

// ReadFrom implements net.PacketConn.
func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.UDPConn.ReadFrom(b)
	if err != nil && c.closed.Load() {
		err = net.ErrClosed
	}
	return n, from, errno(err)
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
