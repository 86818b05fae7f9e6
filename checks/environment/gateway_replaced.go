package environment

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// GatewayReplaced gives the router another Ethernet address, and tells so by gratuitous ARP.
var GatewayReplaced = &check.Check{
	ID:    "environment.gateway-replaced",
	Title: "Follows its router to another Ethernet address",
	Why: "When a mesh node takes over, or the second router of a pair, the same IP address is at another Ethernet address. " +
		"A device that remembers the first one sends everything to nobody.",
	Pass:         "its packets go to the new Ethernet address within 60 s of the router's gratuitous ARP, and it answers or comes back by itself afterwards",
	Fix:          "take over what ARP messages tell of an address that is in the cache, and let entries age",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"net.arp"},
	Sources:      []string{"RFC 826", "RFC 5227 section 4", "Zephyr arp test suite"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        time.Hour,
	Run:          gatewayReplaced,
}

const followWithin = 60 * time.Second

func gatewayReplaced(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	router := t.World.Home().Router
	now := [6]byte{0x02, 0x07, 0x5e, 0xc0, 0x4d, 0x01}
	g := rerouted{first: t.Log.Len()}
	var mu sync.Mutex
	there := make(chan struct{})
	start := t.Clock.Now()
	watch(t, func(f []byte) {
		if len(f) < 34 || binary.BigEndian.Uint16(f[12:]) != 0x0800 || f[0]&1 != 0 {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		g.packets++
		if [6]byte(f[:6]) == now && !g.followed {
			g.followed, g.took = true, t.Clock.Since(start)
			close(there)
		}
	})
	t.Step("have another router take the place of the first, and tell so by gratuitous ARP")
	t.Impair(router.Replace(now))
	router.Announce()
	wait, cancel := t.Clock.Timeout(ctx, followWithin+lag(t))
	defer cancel()
	select {
	case <-there:
	case <-wait.Done():
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	mu.Lock()
	g.last = t.Log.Len() - 1
	done := g
	mu.Unlock()
	if done.packets == 0 {
		return check.NotRun("give it something to report", "it sent nothing within %s", followWithin)
	}
	t.Find(judgeRerouted(done)...)
	if !done.followed {
		return nil
	}
	t.MeasureTime("gratuitous ARP to the new address", done.took, "<= 60 s")
	p, err := t.Device.Probe(ctx, s, done.first, t.Device.Patience())
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "another router in its router's place")...)
	return nil
}

// rerouted is where a device sent its packets after its router was replaced.
type rerouted struct {
	packets     int // of IPv4, whatever their way
	followed    bool
	took        time.Duration
	first, last int
}

func judgeRerouted(m rerouted) []check.Finding {
	if m.followed {
		return nil
	}
	return []check.Finding{{
		Title:    "Goes on sending to a router that was replaced",
		Expected: fmt.Sprintf("packets to the new Ethernet address within %.0f s", followWithin.Seconds()),
		Seen:     fmt.Sprintf("%d packets, all to the old one", m.packets),
		Evidence: check.Range(m.first, m.last, "from the replacement on"),
	}}
}
