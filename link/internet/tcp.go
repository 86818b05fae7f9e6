package internet

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// errnos says which error of the kernel one of the stack is.
var errnos = map[string]error{
	(&tcpip.ErrConnectionRefused{}).String():    syscall.ECONNREFUSED,
	(&tcpip.ErrConnectionReset{}).String():      syscall.ECONNRESET,
	(&tcpip.ErrConnectionAborted{}).String():    syscall.ECONNABORTED,
	(&tcpip.ErrTimeout{}).String():              syscall.ETIMEDOUT,
	(&tcpip.ErrHostUnreachable{}).String():      syscall.EHOSTUNREACH,
	(&tcpip.ErrNetworkUnreachable{}).String():   syscall.ENETUNREACH,
	(&tcpip.ErrClosedForSend{}).String():        syscall.EPIPE,
	(&tcpip.ErrInvalidEndpointState{}).String(): net.ErrClosed,
	(&tcpip.ErrPortInUse{}).String():            syscall.EADDRINUSE,
	(&tcpip.ErrBadLocalAddress{}).String():      syscall.EADDRNOTAVAIL,
}

// errno is err as the kernel would have given it, where there is such an error.
func errno(err error) error {
	cause := err
	var op *net.OpError
	if errors.As(err, &op) {
		cause = op.Err
	}
	if cause == nil || err == io.EOF {
		return err
	}
	known, ok := errnos[cause.Error()]
	switch {
	case !ok:
		return err
	case op == nil:
		return known
	}
	changed := *op
	changed.Err = known
	return &changed
}

// conn is a TCP connection with the errors of the kernel and its SetLinger.
type conn struct {
	*gonet.TCPConn
	ep            tcpip.Endpoint
	closed        atomic.Bool
	local, remote net.Addr // as they were at the beginning: of a connection that was reset the stack tells neither
}

func newConn(wq *waiter.Queue, ep tcpip.Endpoint) *conn {
	ep.SocketOptions().SetDelayOption(false) // TCP_NODELAY, as Go sets it
	ep.SocketOptions().SetKeepAlive(true)
	c := &conn{TCPConn: gonet.NewTCPConn(wq, ep), ep: ep, local: &net.TCPAddr{}, remote: &net.TCPAddr{}}
	if a, err := ep.GetLocalAddress(); err == nil {
		c.local = &net.TCPAddr{IP: net.IP(a.Addr.AsSlice()), Port: int(a.Port)}
	}
	if a, err := ep.GetRemoteAddress(); err == nil {
		c.remote = &net.TCPAddr{IP: net.IP(a.Addr.AsSlice()), Port: int(a.Port)}
	}
	return c
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if err != nil && c.closed.Load() {
		return n, net.ErrClosed
	}
	return n, errno(err)
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.TCPConn.Write(b)
	if err != nil && c.closed.Load() {
		return n, net.ErrClosed
	}
	return n, errno(err)
}

// Close ends the connection, with a RST after SetLinger(0), and wakes who reads or writes.
func (c *conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	c.ep.Close()
	return c.TCPConn.SetDeadline(time.Unix(1, 0))
}

// SetLinger is that of net.TCPConn.
func (c *conn) SetLinger(sec int) error {
	c.ep.SocketOptions().SetLinger(tcpip.LingerOption{Enabled: sec >= 0, Timeout: time.Duration(max(sec, 0)) * time.Second})
	return nil
}

func (h *Host) dialTCP(ctx context.Context, to tcpip.FullAddress, version tcpip.NetworkProtocolNumber) (net.Conn, error) {
	wq := new(waiter.Queue)
	ep, terr := h.stack.NewEndpoint(tcp.ProtocolNumber, version, wq)
	if terr != nil {
		return nil, errors.New(terr.String())
	}
	entry, ready := waiter.NewChannelEntry(waiter.WritableEvents)
	wq.EventRegister(&entry)
	defer wq.EventUnregister(&entry)
	terr = ep.Connect(to)
	if _, started := terr.(*tcpip.ErrConnectStarted); started {
		select {
		case <-ctx.Done():
			ep.Close()
			return nil, ctx.Err()
		case <-ready:
		}
		terr = ep.LastError()
	}
	if terr != nil {
		ep.Close()
		return nil, errors.New(terr.String())
	}
	return newConn(wq, ep), nil
}

// Listener is a listening TCP port of a host. It can tell of connection attempts that reach the port while it is closed.
type Listener struct {
	host   *Host
	at     netip.AddrPort
	ep     tcpip.Endpoint
	wq     *waiter.Queue
	closed chan struct{}
	once   sync.Once
}

// Listen opens a TCP port on one of the host's addresses, or on all of them of one IP version; port 0 is any.
func (h *Host) Listen(at netip.AddrPort) (*Listener, error) {
	l := &Listener{host: h, wq: new(waiter.Queue), closed: make(chan struct{})}
	var terr tcpip.Error
	if l.ep, terr = h.stack.NewEndpoint(tcp.ProtocolNumber, number(at.Addr()), l.wq); terr == nil {
		full := fullAddress(at)
		if at.Addr().IsUnspecified() {
			full.Addr = tcpip.Address{}
		}
		l.ep.SocketOptions().SetV6Only(true)
		l.ep.SocketOptions().SetReuseAddress(true) // as Go does it: connections of an earlier listener may linger
		if terr = l.ep.Bind(full); terr == nil {
			terr = l.ep.Listen(1024)
		}
		if terr != nil {
			l.ep.Close()
		}
	}
	if terr != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: net.TCPAddrFromAddrPort(at), Err: errno(errors.New(terr.String()))}
	}
	local, _ := l.ep.GetLocalAddress()
	l.at = netip.AddrPortFrom(at.Addr(), local.Port)
	return l, nil
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents)
	l.wq.EventRegister(&entry)
	defer l.wq.EventUnregister(&entry)
	for {
		ep, wq, terr := l.ep.Accept(nil)
		if terr == nil {
			return newConn(wq, ep), nil
		}
		if _, wait := terr.(*tcpip.ErrWouldBlock); !wait {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: errno(errors.New(terr.String()))}
		}
		select {
		case <-ready:
		case <-l.closed:
			return nil, &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
		}
	}
}

// Close implements net.Listener. Connections that were accepted go on.
func (l *Listener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.ep.Close()
	})
	return nil
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.at) }

// WatchRefused calls seen for every SYN that comes to the port from now on, until stop.
func (l *Listener) WatchRefused(seen func(from net.Addr)) (stop func()) {
	return l.host.seen.watch(l.at.Port(), seen)
}
