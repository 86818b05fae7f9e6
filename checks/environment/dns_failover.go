package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
)

// DNSFailover silences the resolver that the device asks first.
var DNSFailover = &check.Check{
	ID:    "environment.dns-failover",
	Title: "Asks its second resolver when the first is silent",
	Why: "Networks name two resolvers because one of them fails now and then. " +
		"A device that asks only the first is offline with it, while the phone beside it works.",
	Pass:         "when the resolver that it asks first is silent, an answer from another one within 15 s of its first query, and an accepted connection",
	Fix:          "hand all resolvers that DHCP gives to the stack (often only one slot is configured), and ask the next after 2 to 5 s",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Rows:         []string{"net.dns.failover"},
	Sources:      []string{"RFC 1123 section 6.1.3.3", "github.com/arendst/Tasmota issue 17281", "limit of 15 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        30 * time.Minute,
	Run:          dnsFailover,
}

// failedOver is what a device did when its first resolver was silent.
type failedOver struct {
	silent string        // the resolver
	asked  int           // how often it was asked
	after  time.Duration // from the first query to an answer of another one; 0: none
	online bool
}

func dnsFailover(ctx context.Context, t *check.T) error {
	host := t.Device.Part.Host
	if _, err := named(ctx, t); err != nil {
		return err
	}
	f := failedOver{silent: questions(t.Log.Since(0), host)[0].part}
	heal := silence(t, f.silent)
	t.Step("silence %s, which it asked first, and start it anew", f.silent)
	s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()+30*time.Second)
	if err != nil {
		return err
	}
	f.online = s != nil
	var first time.Time
	for _, e := range t.Log.Since(mark) {
		if q, ok := dns.Asked(e); ok && e.Part == f.silent && q.Name == host {
			if first.IsZero() {
				first = e.At
			}
			f.asked++
		}
		if a, ok := dns.Answered(e); ok && a.Query.Name == host && f.after == 0 && !first.IsZero() {
			f.after = max(e.At.Sub(first), 1)
		}
	}
	heal()
	if s != nil && f.asked == 0 {
		return check.NotApplicable("the device asked %s this time, and not the one that it had asked first before", other(t, mark, host))
	}
	if f.after > 0 {
		t.MeasureTime("first query to an answer of another resolver", f.after, "<= 15 s")
	}
	if s == nil {
		if err := t.Healthy(ctx); err != nil {
			return err
		}
	}
	t.Find(judgeFailedOver(f)...)
	return nil
}

// silence has the resolver of that name answer nothing.
func silence(t *check.T, name string) (heal func()) {
	for _, all := range [][]*testbed.Resolver{t.DNS.Told, t.DNS.Public} {
		for _, r := range all {
			if r.Part() == name {
				return t.Impair(r.Do(dns.Silent()))
			}
		}
	}
	return func() {}
}

func other(t *check.T, mark int, host string) string {
	e := questions(t.Log.Since(mark), host)
	if len(e) == 0 {
		return "none"
	}
	return e[0].part
}

func judgeFailedOver(f failedOver) []check.Finding {
	switch {
	case f.after == 0 && !f.online:
		return []check.Finding{{
			Title: "Asks no other resolver when the first is silent",
			Seen:  fmt.Sprintf("it asked %s, which was silent, %d times and no other, and did not come online; when that answered again, it did", f.silent, f.asked),
		}}
	case !f.online:
		return []check.Finding{{
			Title: "Does not come online when its first resolver is silent",
			Seen:  fmt.Sprintf("it had an answer from another one after %.1f s, and opened no accepted connection", f.after.Seconds()),
		}}
	case f.after > 15*time.Second:
		return []check.Finding{{
			Severity: evidence.Major,
			Title:    "Takes long to ask another resolver when the first is silent",
			Seen:     fmt.Sprintf("the answer of another one came %.1f s after its first query", f.after.Seconds()),
		}}
	}
	return nil
}
