package device

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// The page that who opens the device's address in a browser gets. It says nothing of the device.
const (
	pagePort = 80
	pageText = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 39\r\nConnection: close\r\n\r\nThis is a thermostat. Set it in its app"
	pageWait = 5 * time.Second // for a request
	pageHead = 4 << 10         // bytes of one
)

// page serves the page to the home network until ctx ends, one connection at a time.
func (h *household) page(ctx context.Context) {
	l, err := h.cfg.Home.Listen(netip.AddrPortFrom(netip.IPv4Unspecified(), pagePort))
	if err != nil {
		h.con.say("page: %v", err)
		return
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })() // it wakes Accept
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		h.answer(ctx, c)
	}
}

// answer gives the page to who asks.
func (h *household) answer(ctx context.Context, c net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	defer c.Close()
	if c.SetDeadline(h.cfg.Clock.Deadline(pageWait)) != nil {
		return
	}
	if _, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, pageHead))); err == nil {
		_, _ = io.WriteString(c, pageText) // nobody minds when it is lost
	}
}
