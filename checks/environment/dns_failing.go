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

// failingFor is how long each way of failing lasts.
const failingFor = 100 * time.Second

// DNSFailing has every resolver fail for some minutes, first with SERVFAIL and then with NXDOMAIN.
var DNSFailing = &check.Check{
	ID:    "environment.dns-failing",
	Title: "Asks with patience while DNS fails, and comes back after it",
	Why: "Resolvers of providers and routers fail for minutes, and say so or say that the name does not exist. " +
		"Devices that ask in a loop then keep them down; others take the first NXDOMAIN for the end and stay away until someone pulls their plug.",
	Pass: "while every resolver says SERVFAIL for 100 s and NXDOMAIN for 100 s, no more than one query in 5 s to each resolver, name and record type, on average and 10 at first excepted; " +
		"and an accepted connection within twice the reconnect cap and 10 s of the healing, without a restart",
	Fix:          "let a failed look-up count as a failed attempt of the same back-off as the connection, keep negative answers no longer than they say, and never give a name up",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"net.dns.servfail"},
	Sources:      []string{"RFC 2308 section 7.1", "github.com/esp8266/Arduino issue 3150", "github.com/espressif/arduino-esp32 issue 8857"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      4 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          dnsFailing,
}

// failing is what a device did while DNS failed.
type failing struct {
	span  time.Duration
	most  int    // queries of one name and type to one resolver
	whom  string // that resolver, and what it was asked
	limit time.Duration
	back  time.Duration // after the healing; 0: not without a restart
	boot  bool          // it came when it was started anew
}

func dnsFailing(ctx context.Context, t *check.T) error {
	host := t.Device.Part.Host
	t.Impair(t.DNS.Zone.Set(host, dns.Records{TTL: time.Second, A: []netip.Addr{t.CloudAt().Addr()}}))
	if _, err := named(ctx, t); err != nil {
		return err
	}
	t.Step("have every resolver say SERVFAIL, and close the port of the cloud")
	heal := t.Impair(t.DNS.Do(dns.ServFail().For(host)))
	undo, err := t.Link.Refuse()
	if err != nil {
		return err
	}
	reopen := t.Impair(undo)
	mark, start := t.Log.Len(), t.Clock.Now()
	t.Link.Cut(true)
	if err := t.Clock.Sleep(ctx, failingFor); err != nil {
		return err
	}
	t.Step("have every resolver say NXDOMAIN")
	gone := t.Impair(t.DNS.Do(dns.NXDomain().For(host)))
	if err := t.Clock.Sleep(ctx, failingFor); err != nil {
		return err
	}
	asked := questions(t.Log.Since(mark), host)
	if len(asked) == 0 {
		return check.NotApplicable("the device did not look up %s while it was offline", host)
	}
	f := failing{span: t.Clock.Since(start), limit: 2*t.Device.Cap() + 10*time.Second}
	f.most, f.whom = mostAsked(asked)
	t.Measure("queries to one resolver", float64(f.most), "queries", fmt.Sprintf("<= %.0f", f.allowed()))
	t.Step("heal everything")
	mark = t.Log.Len()
	reopen()
	gone()
	heal()
	healed := t.Clock.Now()
	s, err := t.Device.NextSession(ctx, mark, f.limit)
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return err
	}
	if s != nil {
		f.back = max(s.Since.Sub(healed), 1)
		t.MeasureTime("healing to accepted connection", f.back, "<= "+f.limit.String())
	} else {
		s, _, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		if err != nil {
			return err
		}
		f.boot = s != nil
	}
	t.Find(judgeFailing(f)...)
	return nil
}

// mostAsked is how often one name and type was asked of one resolver, where that was most, and which that was.
func mostAsked(asked []question) (most int, whom string) {
	count := map[string]int{}
	for _, q := range asked {
		key := fmt.Sprintf("%s for %s %s", q.part, q.Name, q.Type)
		count[key]++
		if count[key] > most || count[key] == most && key < whom {
			most, whom = count[key], key
		}
	}
	return most, whom
}

func (f *failing) allowed() float64 { return f.span.Seconds()/5 + 10 }

func judgeFailing(f failing) (all []check.Finding) {
	if float64(f.most) > f.allowed() {
		all = append(all, check.Finding{
			Title:    "Asks without a pause while DNS fails",
			Expected: fmt.Sprintf("at most %.0f queries in %.0f s", f.allowed(), f.span.Seconds()),
			Seen:     fmt.Sprintf("it asked %s %d times, which is once in %.1f s", f.whom, f.most, f.span.Seconds()/float64(f.most)),
		})
	}
	if f.back == 0 {
		then := "nor when it was started anew"
		if f.boot {
			then = "it came when it was started anew"
		}
		all = append(all, check.Finding{
			Title:    "Stays away after DNS failed",
			Expected: fmt.Sprintf("an accepted connection within %s of the healing", f.limit),
			Seen:     "no connection was accepted; " + then,
		})
	}
	return all
}
