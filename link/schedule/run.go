package schedule

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Place is where the faults of a schedule happen.
type Place struct {
	World  *internet.World
	Home   *internet.Segment // the device's network
	Access *frame.Link       // the device's own link
}

// change is the beginning or the end of a fault.
type change struct {
	at   time.Duration
	step int
	ends bool
}

// Run carries the schedule out and returns when its last fault is over. Everything is undone then, also when ctx ends it early; the error
// is ctx's.
func (s Schedule) Run(ctx context.Context, clk *clock.Clock, p Place) error {
	var changes []change
	for i, step := range s {
		changes = append(changes, change{step.At, i, false})
		if step.For > 0 {
			changes = append(changes, change{step.At + step.For, i, true})
		}
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	undo := make([]func(), len(s))
	defer func() {
		for _, u := range undo {
			if u != nil {
				u()
			}
		}
	}()
	start := clk.Passed()
	for _, c := range changes {
		if err := clk.Sleep(ctx, c.at-(clk.Passed()-start)); err != nil {
			return err
		}
		if c.ends {
			undo[c.step]()
			undo[c.step] = nil
			continue
		}
		undo[c.step] = s[c.step].begin(p)
	}
	return nil
}

// otherAddress is the public address that Readdress gives a router; twice gives the first one back.
var otherAddress = netip.MustParseAddr("198.51.100.200")

// begin starts a fault and returns its undo; nil for one that takes no time.
func (s Step) begin(p Place) (undo func()) {
	switch s.Kind {
	case Outage:
		return p.Access.Outage()
	case Blackhole:
		return p.Access.Blackhole(frame.Both)
	case WAN:
		return p.Home.Uplink.Outage()
	case Loss:
		return p.Access.Loss(frame.Both, s.Amount)
	case Delay:
		return p.Access.Latency(frame.Both, frame.Latency{Delay: time.Duration(s.Amount * float64(time.Second))})
	case Rate:
		return p.Access.Rate(frame.Both, frame.Rate{BitsPerSecond: s.Amount})
	case Duplicate:
		return p.Access.Duplicate(frame.Both, s.Amount)
	case Reorder:
		return p.Access.Reorder(frame.Both, s.Amount, 50*time.Millisecond)
	case Corrupt:
		return p.Access.Corrupt(frame.Both, s.Amount)
	case Forget:
		p.Home.Router.Forget()
	case Reboot:
		return p.Home.Router.Reboot()
	case Readdress:
		next, other := otherAddress, otherAddress.Next()
		if p.Home.Router.WAN() == next {
			next = other
		}
		p.World.Readdress(p.Home, next)
	}
	return nil
}
