package internet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// Uplink is a way out of a world: TCP and UDP over IPv4 for addresses that nobody in the world has are carried by a dialer. Everything
// else, such as ICMP and IPv6, ends in the world. Times are wall time, since what is outside knows no other.
type Uplink struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // tcp4 and udp4, to an address and port

	// Near are further networks that nothing goes to, such as those that the machine itself is in. Closed says where nothing goes anyway.
	Near []netip.Prefix

	Flows int           // at most so many at once, TCP and UDP together; 0: 256
	Idle  time.Duration // a flow on which nothing passed for so long is ended; 0: 30 minutes for TCP and 2 for UDP
}

// UplinkPart is the part of an uplink's events.
const UplinkPart = "uplink"

// Wall times of an uplink.
const (
	uplinkDial = 10 * time.Second
	idleTCP    = 30 * time.Minute
	idleUDP    = 2 * time.Minute
)

// private are networks that are no part of the internet at large (RFC 6890), beside those that netip knows.
var private = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
}

// Closed says why the uplink does not lead to an address; empty: it does. Only public unicast addresses of IPv4 that are not near are
// open: a device under test must not get into the networks of who tests it.
func (u Uplink) Closed(a netip.Addr) (why string) {
	if !a.Is4() {
		return "no address of IPv4"
	}
	if a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() {
		return "no public address"
	}
	for _, p := range private {
		if p.Contains(a) {
			return "no public address"
		}
	}
	for _, p := range u.Near {
		if p.Contains(a) {
			return "in a network of this machine"
		}
	}
	return ""
}

// uplink is an Uplink in force.
type uplink struct {
	Uplink
	log  *evidence.Log
	room chan struct{}

	mu   sync.Mutex
	told map[netip.AddrPort]bool // what was refused
}

// Connect gives the world a way out until undo, which ends what is open.
func (w *World) Connect(u Uplink) (undo func(), err error) {
	if u.Flows == 0 {
		u.Flows = 256
	}
	a, err := w.anybody(UplinkPart)
	if err != nil {
		return nil, fmt.Errorf("connect the world: %w", err)
	}
	up := &uplink{Uplink: u, log: w.cfg.Log, room: make(chan struct{}, u.Flows), told: map[netip.AddrPort]bool{}}
	a.takeTCP(func(r *request) { up.tcp(a.ctx, r) })
	a.takeUDP(func(to netip.AddrPort) bool { return up.enter(UDP, to) }, func(c net.Conn, to netip.AddrPort) { up.udp(a.ctx, c, to) })
	w.backbone.mu.Lock()
	w.backbone.rest = a.at
	w.backbone.mu.Unlock()
	up.add(evidence.Seen, "leads to public addresses of the real internet")
	return sync.OnceFunc(func() {
		w.backbone.mu.Lock()
		w.backbone.rest = nil
		w.backbone.mu.Unlock()
		a.close()
	}), nil
}

// enter makes room for a flow, if it may be; leave follows.
func (u *uplink) enter(p Protocol, to netip.AddrPort) bool {
	if why := u.Closed(to.Addr()); why != "" {
		u.mu.Lock()
		first := once(u.told, to)
		u.mu.Unlock()
		if first {
			u.add(evidence.Seen, fmt.Sprintf("refuses %s to %s: %s", p, to, why))
		}
		return false
	}
	select {
	case u.room <- struct{}{}:
		return true
	default:
		u.add(evidence.Seen, fmt.Sprintf("refuses %s to %s: %d flows are open", p, to, u.Flows))
		return false
	}
}

func (u *uplink) leave() { <-u.room }

// tcp carries a connection. It is accepted when that to outside is there, and refused where that is.
func (u *uplink) tcp(ctx context.Context, r *request) {
	if !u.enter(TCP, r.to) {
		r.Complete(true)
		return
	}
	defer u.leave()
	out, err := u.dial(ctx, TCP, r.to)
	if err != nil {
		r.Complete(errors.Is(err, syscall.ECONNREFUSED)) // to others nobody answers, as without them
		return
	}
	defer out.Close()
	in := r.accept()
	if in == nil {
		return
	}
	defer in.Close()
	u.carry(ctx, in, out, idleTCP)
}

// udp carries the datagrams of one flow.
func (u *uplink) udp(ctx context.Context, in net.Conn, to netip.AddrPort) {
	defer u.leave()
	if in == nil {
		return
	}
	defer in.Close()
	out, err := u.dial(ctx, UDP, to)
	if err != nil {
		return
	}
	defer out.Close()
	u.carry(ctx, in, out, idleUDP)
}

func (u *uplink) dial(ctx context.Context, p Protocol, to netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, uplinkDial)
	defer cancel()
	network := map[Protocol]string{TCP: "tcp4", UDP: "udp4"}[p]
	c, err := u.Dial(ctx, network, to.String())
	if err != nil {
		u.add(evidence.Seen, fmt.Sprintf("cannot carry %s to %s: %v", p, to, err))
		return nil, err
	}
	u.add(evidence.Open, fmt.Sprintf("carries %s to %s", p, to))
	return c, nil
}

// carry passes bytes or datagrams both ways until one side fails, both have ended, nothing passes for long, or ctx ends.
func (u *uplink) carry(ctx context.Context, in, out net.Conn, idle time.Duration) {
	if u.Idle > 0 {
		idle = u.Idle
	}
	end := func() {
		in.Close()
		out.Close()
	}
	defer context.AfterFunc(ctx, end)()
	timer := time.AfterFunc(idle, end)
	defer timer.Stop()
	var ways sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		ways.Go(func() {
			for b := make([]byte, 64<<10); ; {
				n, err := way[1].Read(b)
				if err == nil || n > 0 {
					timer.Reset(idle)
					if _, err := way[0].Write(b[:n]); err != nil {
						end()
						return
					}
				}
				half, ok := way[0].(interface{ CloseWrite() error })
				switch {
				case err == nil:
				case ok && err == io.EOF:
					_ = half.CloseWrite()
					return
				default:
					end()
					return
				}
			}
		})
	}
	ways.Wait()
}

func (u *uplink) add(kind evidence.Kind, text string) {
	if u.log != nil {
		u.log.Add(evidence.Event{Part: UplinkPart, Kind: kind, Text: text})
	}
}
