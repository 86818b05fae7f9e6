package environment

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
)

// movingTTL is how long the address of the cloud may be kept before it moves.
const movingTTL = 20 * time.Second

// DNSTTL moves the cloud to another address, and its name with it.
var DNSTTL = &check.Check{
	ID:    "environment.dns-ttl",
	Title: "Follows its cloud to another address",
	Why: "Clouds move: load balancers, regions and providers change their addresses with a few minutes' notice, by DNS. " +
		"A device that keeps an address for ever is offline from that day on until someone pulls its plug.",
	Pass:         "an accepted connection at the new address within the record's TTL of 20 s, twice the reconnect cap and 20 s of the move, without a restart",
	Fix:          "look the name up again for every connection, or at the latest when the TTL of the answer has passed; keep no address of your own beside the resolver's",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Rows:         []string{"net.dns.ttl"},
	Sources:      []string{"RFC 1035 section 3.2.1", "github.com/tbnobody/OpenDTU issue 1296", "github.com/letscontrolit/ESPEasy issue 381", "github.com/hivemq/hivemq-mqtt-client issue 668"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run:          dnsTTL,
}

// moved is what a device did after its cloud moved.
type moved struct {
	limit time.Duration
	after time.Duration // until it came to the new address; 0: it did not
	stale int           // SYNs to the old address after the TTL
	asked int           // queries for the name after the move
	boot  bool          // it came when it was started anew
}

func dnsTTL(ctx context.Context, t *check.T) error {
	host, old := t.Device.Part.Host, t.CloudAt()
	t.Impair(t.DNS.Zone.Set(host, dns.Records{TTL: movingTTL, A: []netip.Addr{old.Addr()}}))
	if _, err := named(ctx, t); err != nil {
		return err
	}
	t.Step("move %s to another address", host)
	w := t.Watch()
	at, err := t.MoveCloud()
	if err != nil {
		return err
	}
	t.DNS.Zone.Set(host, dns.Records{TTL: movingTTL, A: []netip.Addr{at}})
	mark, start := t.Log.Len(), t.Clock.Now()
	t.Link.Cut(true)
	m := moved{limit: movingTTL + 2*t.Device.Cap() + 20*time.Second}
	s, err := t.Device.NextSession(ctx, mark, m.limit)
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return err
	}
	if s != nil {
		m.after = max(s.Since.Sub(start), 1)
		t.MeasureTime("move of the cloud to accepted connection", m.after, "<= "+m.limit.String())
	}
	for _, p := range w.Sent(true, old.Port()) {
		if p.To == old && p.At.Sub(start) > movingTTL {
			m.stale++
		}
	}
	m.asked = len(questions(t.Log.Since(mark), host))
	if s == nil {
		t.Step("start it anew, to see whether that helps")
		s, _, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		if err != nil {
			return err
		}
		m.boot = s != nil
	}
	t.Find(judgeMoved(m)...)
	return nil
}

func judgeMoved(m moved) []check.Finding {
	if m.after > 0 {
		return nil
	}
	title, then := "Does not follow its cloud to another address", "nor did it when it was started anew"
	if m.boot {
		title, then = "Follows its cloud to another address only after a restart", "a restart helped"
	}
	return []check.Finding{{
		Title:    title,
		Expected: fmt.Sprintf("an accepted connection at the new address within %s", m.limit),
		Seen: fmt.Sprintf("none came; it asked for the name %d times after the move, and tried the old address %d times when the TTL of %s had passed; %s",
			m.asked, m.stale, movingTTL, then),
	}}
}
