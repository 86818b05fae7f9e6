package device

import (
	"context"
	"errors"
	"net/netip"
)

// errBadXML is that of an answer that is no XML.
var errBadXML = errors.New("the router's answer is not understood")

// moreFlawed opens a port that nobody knows of.
func (p *porter) moreFlawed(ctx context.Context) {
	if p.home.cfg.has("upnp-more-ports") {
		_, _ = p.igd.add(ctx, netip.AddrPortFrom(p.home.address(), 23), 2323, 0)
	}
}

// failedFlawed is what defects do when no port was opened. It reports whether the next attempt is made at once.
func (p *porter) failedFlawed(err error) (hammer bool) {
	var refused *upnpError
	switch {
	case errors.As(err, &refused) && p.home.cfg.has("upnp-refused-crash"):
		p.crash("unexpected answer of the router")
	case errors.Is(err, errBadXML) && p.home.cfg.has("upnp-garbage-crash"):
		p.crash("nil pointer in XML parser")
	case errors.Is(err, errNoRouter) && p.home.cfg.has("upnp-absent-hangs"):
		d := p.home.device
		p.home.call(func() { d.wedged = true })
	}
	return errors.Is(err, errNoRouter) && p.home.cfg.has("upnp-absent-hammer") || errors.As(err, &refused) && p.home.cfg.has("upnp-refused-hammer")
}

func (p *porter) crash(why string) {
	d := p.home.device
	p.home.call(func() { d.crash(why) })
}
