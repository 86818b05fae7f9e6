package device

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/wire/ntp"
)

// How the device keeps its clock right (RFC 4330), in device time.
const (
	firstSync  = time.Second            // after boot
	syncEvery  = 64 * time.Second       // when all is well
	syncRetry  = 16 * time.Second       // after a failure; doubled each time (RFC 4330, section 10, allows 15 s)
	syncAtMost = 1024 * time.Second     // between two failures
	replyWait  = 5 * time.Second        // for one reply
	holdAtMost = 9 * time.Second        // that the first connection waits for the time of day
	stepAtMost = 128 * time.Millisecond // error of the clock that is not worth a line
)

// errKiss says that a time server wants to be left alone.
var errKiss = errors.New("kiss of death")

// timekeeper asks time servers. It belongs to the goroutine of Run.
type timekeeper struct {
	servers []timeServer
	next    int           // server to ask
	at      time.Duration // uptime of the next request
	fails   int           // in a row
	tried   bool          // since boot
	rng     *rand.Rand
	done    chan timeResult // of the request that is under way; nil: none is
	cancel  context.CancelFunc
}

// timeServer is one of the configured servers.
type timeServer struct {
	name   string
	every  time.Duration // it wants to be asked this seldom at most; 0: it did not say
	since  time.Duration // uptime of the last request
	denied bool          // it does not want to be asked at all
}

// timeResult is how a request ended: the time of day was now at uptime at.
type timeResult struct {
	now  time.Time
	at   time.Duration
	code string // of a kiss of death
	err  error
}

// bootTimekeeper starts the clock, which does not run without power. It is the last time that is known until a server tells better.
func (d *Device) bootTimekeeper(powered bool) {
	d.clock = timekeeper{at: d.up + firstSync, rng: rand.New(rand.NewPCG(d.cfg.Seed, uint64(d.set.Boots)<<8+1))}
	for _, name := range d.timeServersFlawed() {
		d.clock.servers = append(d.clock.servers, timeServer{name: name, since: -time.Hour})
	}
	if powered && len(d.cfg.TimeServers) > 0 {
		d.src.lost(d.set.LastTime)
		d.bootClockFlawed()
	}
}

// timeHeld reports whether the first connection still waits for the time of day.
func (d *Device) timeHeld() bool {
	return len(d.clock.servers) > 0 && !d.src.known() && !d.clock.tried && d.up < d.clock.at+holdAtMost && !d.has("clock-not-awaited")
}

// keepTime begins a request when it is time.
func (d *Device) keepTime() {
	k := &d.clock
	if len(k.servers) == 0 || k.done != nil || d.up < k.at || !d.net.ready() {
		return
	}
	server := k.pick()
	if server == nil {
		k.at = d.up + syncAtMost
		return
	}
	server.since = d.up
	ctx, cancel := context.WithCancel(d.power)
	k.cancel, k.done = cancel, make(chan timeResult, 1)
	done, name, nonce := k.done, server.name, ntp.Timestamp(k.rng.Uint64())
	if d.has("sntp-nonce-fixed") {
		nonce = 0
	}
	go func() { done <- d.askTime(ctx, name, nonce) }()
}

// pick is the next server that may be asked; nil when none may.
func (k *timekeeper) pick() *timeServer {
	for range k.servers {
		s := &k.servers[k.next%len(k.servers)]
		if !s.denied {
			return s
		}
		k.next++
	}
	return nil
}

// timed goes on after a request.
func (d *Device) timed(r timeResult) {
	k := &d.clock
	k.cancel()
	server := &k.servers[k.next%len(k.servers)]
	k.done, k.tried = nil, true
	if d.names != nil && d.names.hasCrashed() {
		d.crash("heap corrupted by a DNS answer")
		return
	}
	switch {
	case r.err == nil:
		d.setTime(r, server.name)
		k.fails = 0
		k.at = d.up + k.spread(max(syncEvery, server.every))
		if d.has("sntp-1s") {
			k.at = d.up + time.Second
		}
		return
	case errors.Is(r.err, errKiss) && d.has("sntp-kiss-ignored"):
		k.at = d.up + 4*time.Second
		return
	case errors.Is(r.err, errKiss):
		server.every = max(2*server.every, 2*syncEvery)
		server.denied = r.code != "RATE"
	}
	d.con.say("no time from %s: %v", server.name, r.err)
	k.next++
	k.at = d.up + k.spread(min(syncRetry<<min(k.fails, 10), syncAtMost))
	if next := k.pick(); next != nil {
		k.at = max(k.at, next.since+next.every)
	}
	k.fails++
	d.failedSyncFlawed()
}

// spread is d and up to a quarter more, so that no two devices ask in step.
func (k *timekeeper) spread(d time.Duration) time.Duration {
	return d + time.Duration(k.rng.Float64()*float64(d)/4)
}

// setTime sets the clock, and remembers the time over a power loss.
func (d *Device) setTime(r timeResult, server string) {
	was := d.src.now()
	if d.has("clock-never-back") && r.now.Before(was.Add(-time.Hour)) {
		return
	}
	first := !d.src.known()
	d.src.adjust(r.now, r.at)
	now := d.src.now()
	d.set.LastTime = now
	d.dirty = true
	if off := now.Sub(was); first || off.Abs() > stepAtMost {
		d.con.say("clock set to %s by %s, which is %+.3f s", now.UTC().Format(time.RFC3339), server, off.Seconds())
	}
	if first && d.link == nil && d.dial == nil && d.back.n > 0 {
		d.retryAt = min(d.retryAt, d.up+d.clock.spread(time.Second)) // whatever failed may have failed because of the clock
	}
	d.setTimeFlawed(now.Sub(was))
}

// askTime finds a server by its name and makes one exchange with it.
func (d *Device) askTime(ctx context.Context, name string, nonce ntp.Timestamp) timeResult {
	var addrs []netip.Addr
	var err error
	if d.names != nil {
		addrs, err = d.names.lookup(ctx, name)
	} else {
		var a netip.Addr
		a, err = netip.ParseAddr(name)
		addrs = []netip.Addr{a}
	}
	if err != nil {
		return timeResult{err: err}
	}
	at := addrs[len(addrs)-1] // an IPv4 address, where there is one
	conn, err := d.cfg.ListenPacket(netip.AddrPortFrom(unspecified(at), 0))
	if err != nil {
		return timeResult{err: fmt.Errorf("ask for the time: %w", err)}
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(d.cfg.Clock.Deadline(-time.Second)) })
	defer stop()
	if err := conn.SetDeadline(d.cfg.Clock.Deadline(replyWait)); err != nil {
		return timeResult{err: err}
	}
	return d.exchangeTime(ctx, conn, netip.AddrPortFrom(at, 123), nonce)
}

// exchangeTime sends a request and waits for the reply to it. The transmit timestamp is a random number: it tells nobody the device's
// clock, and a reply that does not bring it back was made by somebody who did not see the request.
func (d *Device) exchangeTime(ctx context.Context, conn net.PacketConn, at netip.AddrPort, nonce ntp.Timestamp) timeResult {
	request := ntp.Packet{Version: 4, Mode: ntp.Client, Transmit: nonce}
	sent := d.src.uptime()
	if _, err := conn.WriteTo(d.requestFlawed(request.Append(nil)), net.UDPAddrFromAddrPort(at)); err != nil {
		return timeResult{err: fmt.Errorf("ask for the time: %w", err)}
	}
	buf := make([]byte, 512)
	for ctx.Err() == nil {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return timeResult{err: fmt.Errorf("ask for the time: %w", err)}
		}
		came := d.src.uptime()
		source, err := netip.ParseAddrPort(from.String())
		if err != nil || source.Port() != at.Port() || source.Addr().Unmap() != at.Addr() {
			continue
		}
		reply, err := d.readReply(buf[:n])
		if err != nil || reply.Originate != nonce && !d.has("sntp-originate-ignored") {
			continue // not the reply to this request
		}
		if why := d.unfit(&reply); why != nil {
			return timeResult{code: reply.Kiss(), err: why}
		}
		pivot := d.src.atLeast()
		inside := reply.Transmit.Near(pivot).Sub(reply.Receive.Near(pivot))
		return d.resultFlawed(&reply, timeResult{now: reply.Transmit.Near(pivot).Add(max(0, came-sent-inside) / 2), at: came})
	}
	return timeResult{err: ctx.Err()}
}

// unfit says why a reply must not be believed (RFC 4330, section 5).
func (d *Device) unfit(p *ntp.Packet) error {
	now := p.Transmit.Near(d.src.atLeast())
	switch {
	case p.Kiss() != "":
		return fmt.Errorf("%w %s", errKiss, p.Kiss())
	case p.Mode != ntp.Server && !d.has("sntp-mode-ignored"):
		return fmt.Errorf("mode %d", p.Mode)
	case p.Version == 0:
		return errors.New("version 0")
	case (p.Stratum == 0 || p.Stratum > 15) && !d.has("sntp-stratum-ignored"):
		return fmt.Errorf("stratum %d", p.Stratum)
	case p.Leap == ntp.Alarm && !d.has("sntp-stratum-ignored"):
		return errors.New("the server's clock is not synchronised")
	case p.Transmit == 0:
		return errors.New("no time")
	case now.Before(d.cfg.Built) && !d.has("sntp-before-build"):
		return fmt.Errorf("%s is before the firmware was built", now.Format(time.RFC3339))
	}
	return nil
}

func unspecified(like netip.Addr) netip.Addr {
	if like.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// unsync ends a request that is under way.
func (d *Device) unsync() {
	if d.clock.done == nil {
		return
	}
	d.clock.cancel()
	<-d.clock.done
	d.clock.done = nil
}
