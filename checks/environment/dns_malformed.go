package environment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/dns"
)

// DNSMalformed answers with what is no DNS message.
var DNSMalformed = &check.Check{
	ID:    "environment.dns-malformed",
	Title: "Survives malformed answers of DNS",
	Why: "A parser that follows a compression pointer to itself hangs for ever, and one that believes a length reads or writes beyond its buffer. " +
		"The packet that does so can come from any router, or from anybody on the way.",
	Pass:         "no crash, and an accepted connection within twice the reconnect cap and 10 s of the healing, after ten kinds of malformed answers",
	Fix:          "bound every length by what is left of the message, let a compression pointer point backwards only, and drop an answer that does not parse as if it had not come",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2k"},
	Rows:         []string{"net.dns.spoof"},
	Sources:      []string{"RFC 1035 section 4.1.4", "RFC 9267", "Zephyr, tests/net/lib/dns_resolve"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run:          dnsMalformed,
}

// survived is what became of a device that got malformed answers.
type survived struct {
	sent   int
	exits  []string
	limit  time.Duration
	back   time.Duration // after the healing; 0: it did not come by itself
	boot   bool          // it came when it was started anew
	silent bool          // it asked nothing any more after the healing
}

func dnsMalformed(ctx context.Context, t *check.T) error {
	host := t.Device.Part.Host
	if _, err := named(ctx, t); err != nil {
		return err
	}
	if err := t.Device.Fresh(ctx); err != nil {
		return err
	}
	t.Step("start it anew, and answer its queries with what is no DNS message")
	heal := t.Impair(t.DNS.Do(dns.Malformed(dns.Malformations()...).For(host)))
	mark := t.Log.Len()
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	if err := awaitLies(ctx, t, mark, len(dns.Malformations()), 45*time.Second); err != nil {
		return err
	}
	s := survived{sent: lies(t, mark), limit: 2*t.Device.Cap() + 10*time.Second}
	if s.sent == 0 {
		return check.NotApplicable("the device did not look up %s when it was started anew", host)
	}
	t.Measure("malformed answers that were sent", float64(s.sent), "answers", "")
	t.Step("heal it")
	healed, after := t.Clock.Now(), t.Log.Len()
	heal()
	session, err := t.Device.NextSession(ctx, after, s.limit)
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return err
	}
	for _, e := range crashes(t, mark) {
		s.exits = append(s.exits, e.Text)
	}
	if session != nil {
		s.back = max(session.Since.Sub(healed), 1)
		t.MeasureTime("healing to accepted connection", s.back, "<= "+s.limit.String())
	} else {
		s.silent = len(questions(t.Log.Since(after), host)) == 0
		session, _, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		if err != nil {
			return err
		}
		s.boot = session != nil
	}
	t.Find(judgeSurvived(s)...)
	return nil
}

// awaitLies waits until n malformed answers were sent, or the time is over.
func awaitLies(ctx context.Context, t *check.T, mark, n int, within time.Duration) error {
	end := t.Clock.Now().Add(within)
	for lies(t, mark) < n && t.Clock.Now().Before(end) {
		if err := t.Clock.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

func lies(t *check.T, mark int) (n int) {
	for _, e := range t.Log.Since(mark) {
		if a, ok := dns.Answered(e); ok && a.Lie != "" {
			n++
		}
	}
	return n
}

func judgeSurvived(s survived) (all []check.Finding) {
	if len(s.exits) > 0 {
		all = append(all, check.Finding{
			Title: check.Ended(s.exits[0]) + " at a malformed answer of DNS",
			Seen:  fmt.Sprintf("its process ended %d times in %d malformed answers, at first with: %s", len(s.exits), s.sent, s.exits[0]),
		})
	}
	if s.back == 0 && len(s.exits) == 0 {
		what := "it went on asking"
		if s.silent {
			what = "it asked nothing any more"
		}
		then := "it did not come when it was started anew either"
		if s.boot {
			then = "it came when it was started anew"
		}
		all = append(all, check.Finding{
			Title: "Does not come back after malformed answers of DNS",
			Seen:  fmt.Sprintf("no connection was accepted within %s of the healing; %s; %s", s.limit, what, then),
		})
	}
	return all
}
