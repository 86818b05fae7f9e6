package environment

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
)

// DNSAnswers answers in ways that are in order, and that small resolvers have no room for.
var DNSAnswers = &check.Check{
	ID:    "environment.dns-answers",
	Title: "Understands long answers of DNS",
	Why: "Content networks and cloud providers answer with chains of aliases and dozens of addresses, and change that without a word. " +
		"Resolvers that were tried with one address only fail in the field, for all devices on one day.",
	Pass:         "an accepted connection for a name with 8 aliases in a row, for one with 20 addresses, and for one whose answer needs TCP because it is truncated over UDP",
	Fix:          "follow at least 8 aliases, take as many addresses as there is room for and leave out the rest, and ask again over TCP when the TC bit is set",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.dns.cname"},
	Sources:      []string{"RFC 1034 section 3.6.2", "RFC 7766 section 5"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      time.Minute,
	Limit:        time.Hour,
	Run:          dnsAnswers,
}

// longAnswer is one of the answers, and what came of it.
type longAnswer struct {
	what   string
	online bool
	seen   string
	first  int // numbers of the events that show it
	last   int
}

func dnsAnswers(ctx context.Context, t *check.T) error {
	if _, err := named(ctx, t); err != nil {
		return err
	}
	var all []longAnswer
	failed := false
	for _, c := range []struct {
		what string
		do   func(*check.T) (undo func(), err error)
	}{{"8 aliases in a row", aliases}, {"20 addresses", addresses}, {"an answer that is truncated over UDP", truncated}} {
		t.Step("answer with %s", c.what)
		undo, err := c.do(t)
		if err != nil {
			return err
		}
		heal := t.Impair(undo)
		s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2+30*time.Second)
		heal()
		if err != nil {
			return err
		}
		a := longAnswer{what: c.what, online: s != nil, first: mark, last: t.Log.Len() - 1}
		if s == nil {
			failed = true
			a.seen = testbed.Account(t.Log.Since(mark))
			for _, e := range crashes(t, mark) {
				a.seen += "; it crashed: " + e.Text
			}
		}
		all = append(all, a)
	}
	if failed {
		if err := t.Healthy(ctx); err != nil {
			return err
		}
	}
	t.Measure("kinds of long answer understood", float64(len(all)-len(judgeAnswers(all))), "of 3", "= 3")
	t.Find(judgeAnswers(all)...)
	return nil
}

func aliases(t *check.T) (undo func(), err error) {
	host := t.Device.Part.Host
	var undos []func()
	for i := range 8 {
		name := fmt.Sprintf("edge%d.cdn.test", i)
		if i == 0 {
			name = host
		}
		undos = append(undos, t.DNS.Zone.Set(name, dns.Records{TTL: time.Second, CNAME: fmt.Sprintf("edge%d.cdn.test", i+1)}))
	}
	undos = append(undos, t.DNS.Zone.Set("edge8.cdn.test", dns.Records{TTL: time.Second, A: []netip.Addr{t.CloudAt().Addr()}}))
	return func() {
		for _, u := range undos {
			u()
		}
	}, nil
}

func addresses(t *check.T) (undo func(), err error) {
	all := []netip.Addr{t.CloudAt().Addr()}
	for len(all) < 20 {
		a, err := t.World.Name(fmt.Sprintf("server %d that is down", len(all)))
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return t.DNS.Zone.Set(t.Device.Part.Host, dns.Records{TTL: time.Second, A: all}), nil
}

func truncated(t *check.T) (undo func(), err error) {
	return t.DNS.Do(dns.Truncated().For(t.Device.Part.Host)), nil
}

func judgeAnswers(all []longAnswer) (found []check.Finding) {
	for _, a := range all {
		if a.online {
			continue
		}
		found = append(found, check.Finding{
			Title:    "Does not understand " + a.what,
			Expected: "an accepted connection, as with an ordinary answer",
			Seen:     "none came; " + a.seen,
			Evidence: check.Range(a.first, a.last, "from the start with that answer"),
		})
	}
	return found
}
