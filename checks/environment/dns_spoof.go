package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dns"
)

// DNSSpoof sends answers that nobody sent who saw the question.
var DNSSpoof = &check.Check{
	ID:    "environment.dns-spoof",
	Title: "Ignores forged answers of DNS",
	Why: "Anybody can send packets that look like answers of a resolver. A device that takes one with the wrong id, for another question or from another port " +
		"is sent wherever its attacker likes.",
	Pass:         "no connection attempt to the address in an answer with a wrong id, for another question, or from a wrong source port, and an accepted connection by the right answer, which comes half a second later",
	Fix:          "compare id, question, address and port of every answer with what was asked, and go on waiting when they differ",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2d", "CRA:I.2f"},
	Rows:         []string{"net.dns.spoof"},
	Sources:      []string{"RFC 5452 section 9.1", "Zephyr, tests/net/lib/dns_resolve"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      time.Minute,
	Limit:        time.Hour,
	Run:          dnsSpoof,
}

// forged is what came of one kind of forgery.
type forged struct {
	how         dns.Forgery
	sent        int // forged answers
	tried       int // SYNs to the forged address
	online      bool
	first, last int
}

func dnsSpoof(ctx context.Context, t *check.T) error {
	if _, err := named(ctx, t); err != nil {
		return err
	}
	host, port := t.Device.Part.Host, t.CloudAt().Port()
	w := t.Watch()
	var all []forged
	away := false
	for _, f := range dns.Forgeries() {
		liar, err := t.World.Name("attacker with " + string(f))
		if err != nil {
			return err
		}
		t.Step("forge answers with a %s, which say that %s is %s", f, host, liar)
		heal := t.Impair(t.DNS.Do(dns.Spoofed(liar, f).For(host)))
		s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		heal()
		if err != nil {
			return err
		}
		x := forged{how: f, online: s != nil, first: mark, last: t.Log.Len() - 1}
		for _, e := range t.Log.Since(mark) {
			if a, ok := dns.Answered(e); ok && a.Lie == string(f) {
				x.sent++
			}
		}
		for _, p := range w.Sent(true, port) {
			if p.To.Addr() == liar {
				x.tried++
			}
		}
		away = away || s == nil
		all = append(all, x)
	}
	if away {
		if err := t.Healthy(ctx); err != nil {
			return err
		}
	}
	sent := 0
	for _, x := range all {
		sent += x.sent
	}
	if sent == 0 {
		return check.NotApplicable("the device asked for no name over UDP when it was started anew")
	}
	t.Measure("forged answers that were sent", float64(sent), "answers", "")
	t.Find(judgeForged(all)...)
	return nil
}

func judgeForged(all []forged) (found []check.Finding) {
	for _, x := range all {
		evidence := check.Range(x.first, x.last, "from the start with forged answers")
		switch {
		case x.tried > 0:
			found = append(found, check.Finding{
				Title:    fmt.Sprintf("Believes an answer of DNS with a %s", x.how),
				Expected: "no packet to the address in it",
				Seen:     fmt.Sprintf("it tried to connect there %d times", x.tried),
				Evidence: evidence,
			})
		case !x.online && x.sent > 0:
			found = append(found, check.Finding{
				Severity: check.Major,
				Title:    fmt.Sprintf("Does not come online while answers with a %s come too", x.how),
				Expected: "an accepted connection by the right answer, half a second later",
				Seen:     fmt.Sprintf("none; %d forged answers were sent", x.sent),
				Evidence: evidence,
			})
		}
	}
	return found
}
