package environment

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/mdns"
)

// said is a multicast DNS packet of the device.
type said struct {
	*mdns.Packet
	n  int // of the event
	at time.Time
}

// saidIn are the packets of the device among events.
func saidIn(events []evidence.Event) []said {
	var all []said
	for _, e := range events {
		if p, ok := e.Data.(*mdns.Packet); ok && e.Kind == evidence.In {
			all = append(all, said{p, e.N, e.At})
		}
	}
	return all
}

// known is how the device is known in its home network.
type known struct {
	instance, host string
	addr           netip.Addr
	said
}

// knownBy reads how the device is known from one of its packets; false when the packet does not tell an instance of the service.
func knownBy(s said, service string) (known, bool) {
	ptr := s.Holds(service, "PTR")
	if ptr == nil || ptr.TTL == 0 {
		return known{}, false
	}
	k := known{instance: ptr.Target, said: s}
	if srv := s.Holds(k.instance, "SRV"); srv != nil {
		k.host = srv.Target
	}
	if a := s.Holds(k.host, "A"); a != nil {
		k.addr = a.Address
	}
	return k, true
}

// local is the declared service with its domain.
func local(t *check.T) string { return strings.ToLower(t.Device.Part.Local.Service) + ".local." }

// awaitSaid waits up to within for a packet of the device, in the events from mark on. It reports false when the time is over.
func awaitSaid(ctx context.Context, t *check.T, mark int, within time.Duration, match func(said) bool) (said, bool, error) {
	wait, cancel := t.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool {
		p, ok := e.Data.(*mdns.Packet)
		return ok && e.Kind == evidence.In && match(said{p, e.N, e.At})
	})
	if err != nil {
		return said{}, false, ctx.Err()
	}
	return said{e.Data.(*mdns.Packet), e.N, e.At}, true, nil
}

// awaitKnown waits until the device announced the service, with all that finding it needs.
func awaitKnown(ctx context.Context, t *check.T, mark int, within time.Duration) (known, bool, error) {
	var k known
	_, ok, err := awaitSaid(ctx, t, mark, within, func(s said) bool {
		next, tells := knownBy(s, local(t))
		if !tells || s.Sort != mdns.Announcement {
			return false
		}
		if next.host == "" {
			next.host, next.addr = k.host, k.addr
		}
		k = next
		return k.host != "" && k.addr.IsValid()
	})
	return k, ok, err
}

// atHome is a device that is online and known in its home network, with a neighbour. The control of checks of multicast DNS: the error
// is a not-run when the device does not tell of itself in an ordinary home.
func atHome(ctx context.Context, t *check.T) (*mdns.Responder, netip.Addr, known, error) {
	r, addr, err := t.Neighbour()
	if err != nil {
		return nil, addr, known{}, err
	}
	if _, err := t.Online(ctx); err != nil {
		return nil, addr, known{}, err
	}
	k, ok, err := awaitKnown(ctx, t, 0, announceWithin+slack(t))
	if err != nil {
		return nil, addr, k, err
	}
	if !ok {
		return nil, addr, k, check.NotRun("see environment.mdns-announce", "the device did not announce %s in an ordinary home network", local(t))
	}
	return r, addr, k, nil
}

// announceWithin is how long a device may take to announce itself: RFC 6762 needs about a second to probe.
const announceWithin = 5 * time.Second

// slack is what a busy machine may add.
func slack(t *check.T) time.Duration { return t.Clock.Device(300 * time.Millisecond) }

// answers asks for the service and reports whether the device answers within 3 s, asking three times.
func answers(ctx context.Context, t *check.T, r *mdns.Responder, name string, kind uint16) (said, bool, error) {
	for range 3 {
		mark := t.Log.Len()
		r.Ask(name, kind)
		s, ok, err := awaitSaid(ctx, t, mark, time.Second+slack(t), func(s said) bool {
			return (s.Sort == mdns.Answer || s.Sort == mdns.Announcement) && s.Holds(name, dns.TypeToString[kind]) != nil
		})
		if ok || err != nil {
			return s, ok, err
		}
	}
	return said{}, false, nil
}

func about(s said) []evidence.Ref {
	return check.Range(s.n, s.n, fmt.Sprintf("the %s", s.Sort))
}
