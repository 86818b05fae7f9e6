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

// DNSRate counts queries while the device tries to reconnect.
var DNSRate = &check.Check{
	ID:    "environment.dns-rate",
	Title: "Looks its cloud up once for each attempt to connect",
	Why: "When a cloud is down, all its devices look its name up at every attempt. " +
		"Each query more than one multiplies what hits the resolvers of the provider, which are the next to go down.",
	Pass:         "while the cloud refuses connections for 60 s, no more queries of one name and record type to one resolver than attempts to connect, and two",
	Fix:          "resolve the name once for an attempt and pass the addresses on; let no retry loop stand around another",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2i"},
	Rows:         []string{"mqtt.backoff.dns-rate"},
	Sources:      []string{"github.com/Yeraze/meshmonitor issue 3496"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      75 * time.Second,
	Limit:        time.Hour,
	Run:          dnsRate,
}

func dnsRate(ctx context.Context, t *check.T) error {
	host, cloud := t.Device.Part.Host, t.CloudAt()
	t.Impair(t.DNS.Zone.Set(host, dns.Records{A: []netip.Addr{cloud.Addr()}})) // TTL 0: nothing may be kept
	if _, err := named(ctx, t); err != nil {
		return err
	}
	t.Step("refuse its connections for 60 s")
	w := t.Watch()
	undo, err := t.Link.Refuse()
	if err != nil {
		return err
	}
	heal := t.Impair(undo)
	mark := t.Log.Len()
	t.Link.Cut(true)
	if err := t.Clock.Sleep(ctx, time.Minute); err != nil {
		return err
	}
	asked := questions(t.Log.Since(mark), host)
	attempts := len(w.Sent(true, cloud.Port()))
	heal()
	if attempts == 0 {
		return check.NotRun("find out with the checks of the risk fault why it does not try to reconnect", "the device made no attempt to connect within 60 s")
	}
	most, whom := mostAsked(asked)
	t.Measure("queries for each attempt", float64(most)/float64(attempts), "queries", "<= 1")
	t.Find(judgeRate(most, whom, attempts)...)
	return nil
}

func judgeRate(most int, whom string, attempts int) []check.Finding {
	if most <= attempts+2 {
		return nil
	}
	return []check.Finding{{
		Title:    "Looks its cloud up several times for each attempt to connect",
		Expected: fmt.Sprintf("at most %d queries with %d attempts", attempts+2, attempts),
		Seen:     fmt.Sprintf("it asked %s %d times", whom, most),
	}}
}
