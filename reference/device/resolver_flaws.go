package device

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"
)

// resolverFlaws is what planted defects of the resolver remember. It is empty in a good device.
type resolverFlaws struct {
	id      uint16
	crashed bool
	stuck   bool // asks nobody any more
}

// publicResolver is one that firmware is known to have built in.
var publicResolver = netip.MustParseAddr("8.8.8.8")

// resolvers are those to ask, in that order.
func (r *resolver) resolvers() []netip.Addr {
	all := r.cfg.Resolvers()
	r.mu.Lock()
	stuck := r.flaw.stuck
	r.mu.Unlock()
	switch {
	case stuck:
		return nil
	case r.cfg.has("dns-hardcoded-only"):
		return []netip.Addr{publicResolver}
	case r.cfg.has("dns-hardcoded"):
		return append([]netip.Addr{publicResolver}, all...)
	case r.cfg.has("dns-first-resolver-only"):
		return all[:min(1, len(all))]
	}
	return all
}

// rounds is how often each resolver is asked in one look-up.
func (r *resolver) rounds() int {
	if r.cfg.has("dns-failure-storm") {
		return 50
	}
	return queryRounds
}

// silentFlawed are the resolvers to ask in the next round.
func (r *resolver) silentFlawed(ctx context.Context, silent, asked []netip.Addr) []netip.Addr {
	if r.cfg.has("dns-failure-storm") && r.cfg.Clock.Sleep(ctx, 250*time.Millisecond) == nil {
		return asked
	}
	return silent
}

// cacheFlawed reports whether a defect passes over what is known.
func (r *resolver) cacheFlawed() bool {
	return r.cfg.has("dns-failure-storm")
}

// keepFlawed changes how long something is known.
func (r *resolver) keepFlawed(c *cached) {
	switch {
	case r.cfg.has("dns-ttl-ignored") && c.err == nil, r.cfg.has("dns-failure-kept") && c.err != nil:
		c.till = r.uptime() + 1000*time.Hour
	}
}

// addrsFlawed changes what an answer says.
func (r *resolver) addrsFlawed(addrs []netip.Addr) []netip.Addr {
	if r.cfg.has("dns-many-addresses-crash") && len(addrs) > 8 {
		r.crash()
		return nil
	}
	return addrs
}

// aliasesFlawed reports whether there are too many aliases for a defect.
func (r *resolver) aliasesFlawed(n int) bool { return r.cfg.has("dns-aliases-4") && n > 4 }

// malformedFlawed is what a bad answer does to a bad parser.
func (r *resolver) malformedFlawed(b []byte, id uint16) {
	if r.cfg.has("dns-malformed-crash") && len(b) > 12 && binary.BigEndian.Uint16(b) == id {
		r.crash()
	}
	if r.cfg.has("dns-malformed-stuck") {
		r.mu.Lock()
		r.flaw.stuck = true
		r.mu.Unlock()
	}
}

// lookupFlawed is what a defect asks for beside.
func (r *resolver) lookupFlawed(ctx context.Context) {
	if r.cfg.has("asks-for-others") {
		r.ask(ctx, "statistics.vendor.test")
	}
}

// crash has the device crash, as soon as it looks.
func (r *resolver) crash() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flaw.crashed = true
}

func (r *resolver) hasCrashed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flaw.crashed
}

// connectFlawedWait is how long a connection to one of several addresses may take.
func (d *Device) connectFlawedWait(_ netip.Addr, wait time.Duration) time.Duration {
	if d.has("dns-aaaa-patient") {
		return 75 * time.Second // as long as a kernel tries by itself
	}
	return wait
}
