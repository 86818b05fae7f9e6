package device

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// What the porter asks of a router, and how it waits. All are device time.
const (
	mapLease   = time.Minute // of a port; renewed at half of it
	mapRetry   = 5 * time.Minute
	mapTries   = 4 // answers that ask for another port or lease
	igdAnswer  = 5 * time.Second
	igdSearch  = 3 * time.Second
	farewell   = 3 * time.Second
	bodyLimit  = 64 << 10
	firstOther = 20000 // ports to try when the wanted one is taken
)

// Errors of UPnP that have an answer (WANIPConnection:2, section 2.5).
const (
	upnpConflict      = 718
	upnpPermanentOnly = 725
	upnpNoEntry       = 714
)

// porter keeps a port of the router open while the user wishes it, by UPnP. Without a router that does so the device works on; it can be
// reached through the cloud.
type porter struct {
	home *household
	rng  uint64
	told func(outer netip.AddrPort)

	wanted bool
	port   uint16 // outer port that is open, as the router gave it; 0: none
	igd    *igd   // nil: not found yet
}

// run serves until the device leaves its home.
func (p *porter) run() {
	rng := rand.New(rand.NewPCG(p.rng, 1))
	wake := make(chan struct{}, 1)
	next := time.Duration(-1) // no wait is under way
	for {
		var timer interface{ Stop() bool }
		if next >= 0 {
			timer = p.home.cfg.Clock.AfterFunc(next, func() {
				select {
				case wake <- struct{}{}:
				default:
				}
			})
		}
		select {
		case <-p.home.off.Done():
			if timer != nil {
				timer.Stop()
			}
			p.last()
			return
		case open := <-p.home.wish:
			p.wanted = open
		case <-wake:
		}
		if timer != nil {
			timer.Stop()
		}
		next = p.act(p.home.off, rng)
	}
}

// last closes what is open when the device goes in the orderly way: nobody is there behind the port.
func (p *porter) last() {
	if !p.home.polite.Load() || p.port == 0 {
		return
	}
	ctx, cancel := p.home.cfg.Clock.Timeout(context.Background(), farewell)
	defer cancel()
	p.closePort(ctx)
}

// act does what the user wishes, and returns when to look again; negative: when the wish changes.
func (p *porter) act(ctx context.Context, rng *rand.Rand) time.Duration {
	open := p.wanted || p.home.cfg.has("upnp-always")
	switch {
	case (open || p.port != 0) && !p.home.address().IsValid():
		return lookAround // the network is not there yet
	case open:
		err := p.openPort(ctx, rng)
		if err == nil {
			p.moreFlawed(ctx)
			if p.home.cfg.has("upnp-no-renew") {
				return -1
			}
			return mapLease / 2
		}
		if ctx.Err() != nil {
			return -1
		}
		p.home.con.say("no port of the router is open: %v", err)
		if p.failedFlawed(err) {
			return 50 * time.Millisecond
		}
		return mapRetry + time.Duration(rng.Int64N(int64(time.Minute)))
	case p.port != 0:
		p.closePort(ctx)
	}
	return -1
}

// openPort opens a port, or renews the one that is open, and tells which it is.
func (p *porter) openPort(ctx context.Context, rng *rand.Rand) error {
	if p.igd == nil {
		found, err := p.discover(ctx)
		if err != nil {
			return err
		}
		p.igd = found
	}
	g := p.igd
	p.igd = nil // looked for again if this fails
	inside := netip.AddrPortFrom(p.home.address(), localPort)
	ask, lease := p.port, mapLease
	if ask == 0 {
		ask = localPort
	}
	if p.home.cfg.has("upnp-for-ever") {
		lease = 0
	}
	for range mapTries {
		given, err := g.add(ctx, inside, ask, lease)
		var refused *upnpError
		switch {
		case errors.As(err, &refused) && refused.code == upnpConflict && !p.home.cfg.has("upnp-refused-hammer"):
			ask = uint16(firstOther + rng.IntN(40000))
			continue
		case errors.As(err, &refused) && refused.code == upnpPermanentOnly && lease != 0:
			lease = 0
			continue
		case err != nil:
			return err
		}
		if p.home.cfg.has("upnp-asked-port") {
			given = ask
		} else if given, err = g.confirm(ctx, inside, given); err != nil {
			return err
		}
		outer, err := g.address(ctx)
		if err != nil {
			return err
		}
		p.igd = g
		if given != p.port {
			p.home.con.say("reachable from outside at %s:%d", outer, given)
		}
		p.port = given
		p.home.call(func() { p.told(netip.AddrPortFrom(outer, given)) })
		return nil
	}
	return fmt.Errorf("the router refused %d ports", mapTries)
}

// closePort takes the port back.
func (p *porter) closePort(ctx context.Context) {
	if p.home.cfg.has("upnp-left-open") {
		p.port = 0
		return
	}
	if p.igd == nil {
		found, err := p.discover(ctx)
		if err != nil {
			p.home.con.say("port %d of the router not closed: %v", p.port, err)
			return
		}
		p.igd = found
	}
	err := p.igd.remove(ctx, p.port)
	var refused *upnpError
	if err != nil && (!errors.As(err, &refused) || refused.code != upnpNoEntry) {
		p.home.con.say("port %d of the router not closed: %v", p.port, err)
		return
	}
	p.home.con.say("port %d of the router closed", p.port)
	p.port = 0
	p.home.call(func() { p.told(netip.AddrPort{}) })
}
