package device

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// What the resolver does, in device time.
const (
	queryWait    = 3 * time.Second  // for one answer, before the next resolver is asked
	queryRounds  = 2                // how often each resolver is asked
	lookupWait   = 15 * time.Second // for all of them together
	keepAtMost   = 24 * time.Hour   // a record, whatever its TTL says
	absentAtMost = 60 * time.Second // that a name is not there
	failedFirst  = 5 * time.Second  // that no resolver could say; doubled each time (RFC 2308, section 7.1)
	failedAtMost = 20 * time.Second
	maxAliases   = 16
	maxNames     = 64   // in the cache
	udpSize      = 1232 // bytes of an answer over UDP
)

// errNoName is the error of a name that does not exist, or has no address.
var errNoName = errors.New("no such host")

// resolver finds the addresses of names (RFC 1035, as a stub). It is safe for concurrent use.
type resolver struct {
	cfg    *Config
	uptime func() time.Duration

	mu    sync.Mutex
	rng   *rand.Rand
	cache map[wanted]cached
	flaw  resolverFlaws
}

// wanted is what was looked up: a name, or only its IPv6 addresses.
type wanted struct {
	name string
	six  bool
}

// cached is what is known of a name, and until when.
type cached struct {
	addrs  []netip.Addr
	err    error
	failed int // times in a row that no resolver could say
	till   time.Duration
}

func newResolver(cfg *Config, chance uint64, uptime func() time.Duration) *resolver {
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], chance)
	copy(seed[8:], cfg.ID)
	return &resolver{cfg: cfg, uptime: uptime, rng: rand.New(rand.NewChaCha8(seed)), cache: map[wanted]cached{}}
}

// lookup returns the addresses of a name in the order in which they came, IPv6 first. An address is its own.
func (r *resolver) lookup(ctx context.Context, name string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{a}, nil
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	what := wanted{name, r.sixOnly()}
	r.mu.Lock()
	known, ok := r.cache[what]
	r.mu.Unlock()
	if ok && r.uptime() < known.till && !r.cacheFlawed() {
		return known.addrs, known.err
	}
	ctx, cancel := r.cfg.Clock.Timeout(ctx, lookupWait)
	defer cancel()
	r.lookupFlawed(ctx)
	got := r.ask(ctx, name)
	if r.cfg.has("dns-query-burst") {
		for range 4 {
			got = r.ask(ctx, name)
		}
	}
	if ctx.Err() != nil && got.err != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, ctx.Err()
	}
	if got.err != nil && !errors.Is(got.err, errNoName) {
		got.failed = known.failed + 1
		got.till = r.uptime() + min(failedFirst<<min(known.failed, 8), failedAtMost)
	}
	r.keep(what, got)
	return got.addrs, got.err
}

// keep remembers what is known of a name, and forgets what is too much.
func (r *resolver) keep(what wanted, c cached) {
	r.keepFlawed(&c)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.cache) >= maxNames {
		clear(r.cache)
	}
	r.cache[what] = c
}

// sixOnly reports whether the network has IPv6 and the device no IPv4 address.
func (r *resolver) sixOnly() bool {
	return r.cfg.IPv6 != nil && r.cfg.IPv6() && r.cfg.IPv4 != nil && !r.cfg.IPv4()
}

// ask finds the addresses of each version that the device can use.
func (r *resolver) ask(ctx context.Context, name string) cached {
	types := []dnsmessage.Type{dnsmessage.TypeA}
	switch {
	case r.sixOnly():
		types = []dnsmessage.Type{dnsmessage.TypeAAAA}
	case r.cfg.IPv6 != nil && r.cfg.IPv6():
		types = []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA}
	}
	answers := make([]cached, len(types))
	var all sync.WaitGroup
	for i, t := range types {
		all.Go(func() { answers[i] = r.follow(ctx, name, t) })
	}
	all.Wait()
	sum := answers[0]
	for _, a := range answers[1:] {
		sum.addrs = append(sum.addrs, a.addrs...)
		sum.till = min(sum.till, a.till)
		if sum.err == nil || a.err == nil {
			sum.err = nil
		} else if errors.Is(sum.err, errNoName) {
			sum.err = a.err
		}
	}
	return sum
}

// follow finds the addresses of one version, behind whatever aliases the name has.
func (r *resolver) follow(ctx context.Context, name string, t dnsmessage.Type) cached {
	ttl := keepAtMost
	asked := name
	for range maxAliases {
		m, err := r.query(ctx, name, t)
		if err != nil {
			return cached{err: fmt.Errorf("look up %s: %w", asked, err)}
		}
		addrs, last, aliases, lasts := chase(m, name)
		ttl = min(ttl, lasts)
		switch {
		case len(addrs) > 0 && !r.aliasesFlawed(aliases):
			return cached{addrs: r.addrsFlawed(addrs), till: r.uptime() + ttl}
		case last == name || m.RCode == dnsmessage.RCodeNameError || len(addrs) > 0:
			return cached{err: fmt.Errorf("look up %s: %w", asked, errNoName), till: r.uptime() + min(ttl, absence(m))}
		}
		name = last
	}
	return cached{err: fmt.Errorf("look up %s: more than %d aliases", asked, maxAliases)}
}

// chase follows the aliases in an answer: it returns the addresses at their end, or else the name at which it went out of records, how
// many aliases there were, and the shortest time that a record of them may be kept.
func chase(m *dnsmessage.Message, name string) (addrs []netip.Addr, last string, aliases int, ttl time.Duration) {
	ttl = keepAtMost
	for range maxAliases {
		next := ""
		for _, rr := range m.Answers {
			if !sameName(rr.Header.Name.String(), name) {
				continue
			}
			switch body := rr.Body.(type) {
			case *dnsmessage.AResource:
				addrs = append(addrs, netip.AddrFrom4(body.A))
			case *dnsmessage.AAAAResource:
				addrs = append(addrs, netip.AddrFrom16(body.AAAA))
			case *dnsmessage.CNAMEResource:
				next = strings.ToLower(strings.TrimSuffix(body.CNAME.String(), "."))
			default:
				continue
			}
			ttl = min(ttl, time.Duration(rr.Header.TTL)*time.Second)
		}
		if len(addrs) > 0 || next == "" {
			break
		}
		name, aliases = next, aliases+1
	}
	return addrs, name, aliases, ttl
}

// absence is how long the answer lets it be remembered that something is not there (RFC 2308, section 5).
func absence(m *dnsmessage.Message) time.Duration {
	for _, rr := range m.Authorities {
		if soa, ok := rr.Body.(*dnsmessage.SOAResource); ok {
			return min(time.Duration(min(rr.Header.TTL, soa.MinTTL))*time.Second, absentAtMost)
		}
	}
	return 0
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// dialAny connects to the first of the addresses that answers. One of several gets less time than the only one, and one of IPv6 with
// others behind it least, because its path is the one that is broken most often (as in RFC 8305, but one after the other).
func (d *Device) dialAny(ctx context.Context, addrs []netip.Addr, port string) (net.Conn, error) {
	err := error(errNoName)
	for i, a := range addrs {
		wait := connectWait
		if i < len(addrs)-1 {
			wait = connectWait / 2
			if a.Is6() && !d.has("dns-aaaa-patient") {
				wait = connectWait / 10
			}
		}
		one, cancel := d.cfg.Clock.Timeout(ctx, d.connectFlawedWait(a, wait))
		var conn net.Conn
		conn, err = d.cfg.Dial(one, "tcp", net.JoinHostPort(a.String(), port))
		cancel()
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil || d.has("dns-first-address-only") {
			break
		}
	}
	return nil, err
}
