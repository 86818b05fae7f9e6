package fault

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/mdns"
)

// near asks for what a device is declared to do in its home network, from another station there.
type near struct {
	service string // with its domain; empty: none is declared
	names   *mdns.Responder
	ports   []string // of TCP, decimal
	host    *internet.Host
	sent    *testbed.Watched
}

// newNear is made before the device is started.
func newNear(t *check.T) (*near, error) {
	n := &near{}
	local := t.Device.Part.Local
	if local == nil {
		return n, nil
	}
	var err error
	if local.Service != "" {
		n.service = strings.ToLower(local.Service) + ".local."
		if n.names, _, err = t.Neighbour(); err != nil {
			return nil, err
		}
	}
	for _, p := range local.Open {
		if port, ok := strings.CutPrefix(p, "tcp/"); ok {
			n.ports = append(n.ports, port)
		}
	}
	if len(n.ports) > 0 {
		n.sent = t.Watch()
		n.host, _, err = t.World.Home().Host("visitor")
	}
	return n, err
}

// asks reports whether there is anything to ask for.
func (n *near) asks() bool { return n.service != "" || len(n.ports) > 0 }

// silent asks for everything, each three times, and is what did not answer.
func (n *near) silent(ctx context.Context, t *check.T) (all []string, err error) {
	if n.service != "" && !thrice(ctx, func() bool { return n.named(ctx, t) }) {
		all = append(all, strings.TrimSuffix(n.service, "."))
	}
	for _, port := range n.ports {
		if !thrice(ctx, func() bool { return n.opens(ctx, t, port) }) {
			all = append(all, "tcp/"+port)
		}
	}
	return all, ctx.Err()
}

func thrice(ctx context.Context, try func() bool) bool {
	for range 3 {
		if try() {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
	}
	return false
}

// named asks for the service by multicast DNS.
func (n *near) named(ctx context.Context, t *check.T) bool {
	mark := t.Log.Len()
	n.names.Ask(n.service, dns.TypePTR)
	wait, cancel := t.Clock.Timeout(ctx, time.Second+t.Clock.Device(300*time.Millisecond))
	defer cancel()
	_, err := t.Log.Await(wait, mark, func(e evidence.Event) bool {
		p, ok := e.Data.(*mdns.Packet)
		if !ok || e.Kind != evidence.In || p.Sort != mdns.Answer && p.Sort != mdns.Announcement {
			return false
		}
		ptr := p.Holds(n.service, "PTR")
		return ptr != nil && ptr.TTL > 0
	})
	return err == nil
}

// opens connects to a port of the device.
func (n *near) opens(ctx context.Context, t *check.T, port string) bool {
	at := n.address(t)
	if !at.IsValid() {
		return false
	}
	wait, cancel := t.Clock.Timeout(ctx, 3*time.Second+t.Clock.Device(300*time.Millisecond))
	defer cancel()
	c, err := n.host.DialContext(wait, "tcp", fmt.Sprintf("%s:%s", at, port))
	if err != nil {
		return false
	}
	_ = c.Close() // that it opened is all that was asked
	return true
}

// address is the device's in its home network, by what it last sent to its cloud.
func (n *near) address(t *check.T) (at netip.Addr) {
	for _, s := range n.sent.Sent(true, t.CloudAt().Port()) {
		if s.From.Addr().Is4() {
			at = s.From.Addr()
		}
	}
	return at
}
