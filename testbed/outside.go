package testbed

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/dns"
)

// Outside is what is beyond a world.
type Outside struct {
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // tcp4 and udp4
	Look dns.Ask
	Near []netip.Prefix // networks that nothing of a world reaches
}

// lookLimit is how long, in wall time, a resolver outside may take.
const lookLimit = 5 * time.Second

// Connect has what the world does not have be that of outside, until Close: names, and public addresses over TCP and UDP. Names that lead
// to no public address do not exist.
func (b *Bed) Connect(o Outside) error {
	u := internet.Uplink{Dial: o.Dial, Near: o.Near}
	undo, err := b.World.Connect(u)
	if err != nil {
		return err
	}
	b.Undo(undo)
	b.Undo(b.DNS.Zone.Beyond(func(ctx context.Context, name string) ([]netip.Addr, error) {
		ctx, cancel := context.WithTimeout(ctx, lookLimit)
		defer cancel()
		found, err := o.Look(ctx, name)
		for i, a := range found {
			found[i] = a.Unmap()
		}
		return slices.DeleteFunc(found, func(a netip.Addr) bool { return u.Closed(a) != "" }), err
	}))
	return nil
}
