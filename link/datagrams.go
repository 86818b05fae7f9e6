package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
)

// Datagrams gives take each datagram that comes to conn, cut to most bytes, until conn is closed or ctx done. Take may keep it. A read that
// fails for another reason, such as an ICMP error of an earlier answer, is tried again after a second of device time.
func Datagrams(ctx context.Context, clk *clock.Clock, conn net.PacketConn, most int, take func(data []byte, from net.Addr)) {
	for buf := make([]byte, most); ; {
		n, from, err := conn.ReadFrom(buf)
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			take(append([]byte(nil), buf[:n]...), from)
		case clk.Sleep(ctx, time.Second) != nil:
			return
		}
	}
}

// AddrPort is the address of a TCP or UDP socket, IPv4 as such; the zero value when it is neither.
func AddrPort(a net.Addr) netip.AddrPort {
	at, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}
