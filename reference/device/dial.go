package device

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// dialling is an attempt to connect that is under way.
type dialling struct {
	cancel context.CancelFunc
	done   chan dialResult // gets one result
}

// dialResult is how an attempt ended.
type dialResult struct {
	conn net.Conn
	err  error
}

// startDial begins an attempt to connect in its own goroutine.
func (d *Device) startDial() {
	host, port := d.cfg.Host, d.cfg.Port
	if h, p, err := net.SplitHostPort(d.referred); err == nil {
		host, port = h, p
	}
	d.referred = ""
	d.warnOfExpiry()
	ctx, cancel := context.WithCancel(d.power)
	secure := d.cfg.TLS && !d.plain && !d.has("tls-off")
	dial := &dialling{cancel: cancel, done: make(chan dialResult, 1)}
	d.dial = dial
	go func() {
		conn, err := d.connect(ctx, host, port, secure)
		dial.done <- dialResult{conn, err}
	}()
}

// connect makes a TCP connection and, where it has to, TLS on it.
func (d *Device) connect(ctx context.Context, host, port string, secure bool) (net.Conn, error) {
	raw, err := d.reach(ctx, host, port)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", host, err)
	}
	d.track(raw)
	if !secure {
		return d.upgrade(ctx, raw, host, port)
	}
	wait := d.connectWait()
	switch {
	case d.has("tls-no-handshake-timeout"):
		wait = 24 * time.Hour
	case d.has("tls-hurried"):
		wait = 500 * time.Millisecond
	}
	ctx, cancel := d.cfg.Clock.Timeout(ctx, wait)
	defer cancel()
	conn, err := d.secure(ctx, raw, host)
	if err != nil {
		_ = raw.Close() // the handshake's error says why
		return nil, err
	}
	return d.upgrade(ctx, conn, host, port)
}

// reach makes a TCP connection to a host, by way of the device's own resolver where it has one.
func (d *Device) reach(ctx context.Context, host, port string) (net.Conn, error) {
	if d.names == nil {
		ctx, cancel := d.cfg.Clock.Timeout(ctx, d.connectWait())
		defer cancel()
		return d.cfg.Dial(ctx, "tcp", net.JoinHostPort(host, port))
	}
	addrs, err := d.names.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	return d.dialAny(ctx, addrs, port)
}

// dialled goes on after an attempt: with CONNECT, or with a wait.
func (d *Device) dialled(r dialResult) {
	d.dial.cancel()
	d.dial = nil
	if d.names != nil && d.names.hasCrashed() {
		d.crash("heap corrupted by a DNS answer")
	}
	if r.err != nil {
		d.suspectPath(r.err)
		d.afterFailure()
		d.retry(r.err.Error(), tlsFailed, 0)
		return
	}
	d.plain = false
	d.link = newLink(r.conn, d.version(), d.up)
	d.link.at, d.link.six = d.net.now(), overIPv6(r.conn)
	go d.link.read(d.maxPacket())
	d.sendConnect()
}

// connectWait is how long a connection may take, and then a handshake on it.
func (d *Device) connectWait() time.Duration {
	if d.has("connect-half-second") {
		return time.Second / 2
	}
	return connectWait
}

// suspectPath has the device send small packets, and ask for them, after a handshake that came to nothing: large ones may be lost on the
// way without a word (RFC 4821, section 1.1).
func (d *Device) suspectPath(err error) {
	if d.net != nil && d.trust != nil && errors.Is(err, context.DeadlineExceeded) && !d.has("mtu-no-probing") {
		d.net.narrow()
	}
}

// retry sets the time of the next attempt.
func (d *Device) retry(why string, c cause, lasted time.Duration) {
	wait := d.back.next(c, lasted)
	switch {
	case d.has("clock-unset-hammer") && !d.src.known():
		wait = 50 * time.Millisecond
	case d.expired() && d.has("tls-client-cert-expired-hammer"):
		wait = 50 * time.Millisecond
	case d.expired() && wait < authWait:
		wait = authWait + d.back.upTo(backoffCap-authWait)
	}
	d.con.say("offline: %s; next attempt in %.1f s", why, wait.Seconds())
	d.retryAt = d.up + wait
	if d.has("offline-gives-up") && d.back.n >= 3 {
		d.retryAt = never
	}
}

// maxPacket is the largest remaining length that the device reads.
func (d *Device) maxPacket() int {
	if d.version() == mqtt.V5 {
		return maxPacket
	}
	return maxPacketOld
}

// expired reports whether the device's own certificate has ended.
func (d *Device) expired() bool {
	if d.trust == nil {
		return false
	}
	end := d.trust.expiry()
	return !end.IsZero() && d.src.now().After(end)
}

// warnOfExpiry says when the device's own certificate has ended or will end within 30 days.
func (d *Device) warnOfExpiry() {
	if d.trust == nil || d.trust.expiry().IsZero() || d.has("tls-client-cert-expiry-silent") {
		return
	}
	switch left := d.trust.expiry().Sub(d.src.now()); {
	case left <= 0:
		d.con.say("device certificate expired")
	case left < 30*24*time.Hour:
		d.con.say("device certificate expires in %d days", int(left.Hours()/24))
	}
}

// follow takes the server reference of a server that sends the device elsewhere (section 4.11 of 5.0). It goes only to hosts of the same
// domain, and not in a circle.
func (d *Device) follow(p *mqtt.Packet) {
	text, _ := p.Props.Text(mqtt.ServerReference)
	first, _, _ := strings.Cut(text, " ")
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		host, port = first, d.cfg.Port
	}
	domain := parent(d.cfg.Host)
	near := domain != "" && strings.HasSuffix(strings.ToLower(host), "."+domain)
	if d.has("server-reference-anywhere") {
		near, d.hops = host != "", 0
	}
	if !near || d.hops >= 3 {
		d.con.say("server reference %q not followed", text)
		return
	}
	d.hops++
	d.referred = net.JoinHostPort(host, port)
}

// hangUp ends whatever connection there is and waits for the goroutines that serve it.
func (d *Device) hangUp() {
	if d.dial != nil {
		d.dial.cancel()
		if r := <-d.dial.done; r.conn != nil {
			_ = r.conn.Close() // nothing was sent on it
		}
		d.dial = nil
	}
	d.closeLink()
	d.track(nil)
}

// closeLink closes the present connection.
func (d *Device) closeLink() {
	if d.link == nil {
		return
	}
	d.link.close()
	d.link = nil
	d.set.Session.reconnected()
}
