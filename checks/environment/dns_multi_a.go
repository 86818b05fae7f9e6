package environment

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dns"
)

// nobodys is an address of the world's servers that no host has: what is sent to it is lost without a word.
var nobodys = netip.MustParseAddr("203.0.113.250")

// DNSMultiA gives the cloud three addresses, of which two are dead.
var DNSMultiA = &check.Check{
	ID:    "environment.dns-multi-a",
	Title: "Tries all addresses of its cloud",
	Why: "A name with several addresses is how clouds survive the loss of a data centre. " +
		"A device that tries only the first is offline while the others would serve it.",
	Pass:         "with three addresses, of which the first refuses connections and the second is silent, an accepted connection at the third within 90 s of the first attempt, or of the answer",
	Fix:          "go through all addresses that the resolver returns, with a connect timeout of a few seconds for each",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Rows:         []string{"net.dns.multi-a"},
	Sources:      []string{"RFC 1123 section 2.3", "limit of 90 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        30 * time.Minute,
	Run:          dnsMultiA,
}

// manyTried is what a device made of three addresses.
type manyTried struct {
	limit             time.Duration
	after             time.Duration // from the first attempt at one of them to the accepted connection; 0: none came
	dead, mute, alive int           // SYNs to each
}

func dnsMultiA(ctx context.Context, t *check.T) error {
	host, cloud := t.Device.Part.Host, t.CloudAt()
	dead, err := t.World.Name("address of a server that is down")
	if err != nil {
		return err
	}
	heal := t.Impair(t.DNS.Zone.Set(host, dns.Records{TTL: time.Second, A: []netip.Addr{dead, nobodys, cloud.Addr()}}))
	t.Step("start it, with %s at %s (refuses), %s (silent) and %s", host, dead, nobodys, cloud.Addr())
	w := t.Watch()
	m := manyTried{limit: 90 * time.Second}
	s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()+m.limit)
	if err != nil {
		return err
	}
	if s != nil && len(questions(t.Log.Since(mark), host)) == 0 {
		return check.NotApplicable("the device came online without looking up %s", host)
	}
	var first time.Time
	for _, p := range w.Sent(true, cloud.Port()) {
		if first.IsZero() {
			first = p.At
		}
		switch p.To.Addr() {
		case dead:
			m.dead++
		case nobodys:
			m.mute++
		case cloud.Addr():
			m.alive++
		}
	}
	if s != nil && !first.IsZero() {
		m.after = max(s.Since.Sub(first), 1)
		t.MeasureTime("first attempt to accepted connection", m.after, "<= "+m.limit.String())
	}
	heal()
	if s == nil {
		if err := t.Healthy(ctx); err != nil {
			return err
		}
	}
	t.Find(judgeMultiA(m)...)
	return nil
}

func judgeMultiA(m manyTried) []check.Finding {
	if m.after > 0 && m.after <= m.limit {
		return nil
	}
	title := "Does not try all addresses of its cloud"
	seen := "no connection was accepted"
	if m.after > 0 {
		title, seen = "Takes too long to come to a good address of its cloud", fmt.Sprintf("it took %.0f s", m.after.Seconds())
	}
	return []check.Finding{{
		Title: title,
		Seen: fmt.Sprintf("%s; it tried the address that refuses %d times, the silent one %d times and the good one %d times; with the good one alone it comes online",
			seen, m.dead, m.mute, m.alive),
	}}
}
