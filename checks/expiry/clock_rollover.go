package expiry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/ntp"
	"github.com/shakedown-test/shakedown/world/pki"
)

// rollovers are days on which counters begin anew.
var rollovers = []struct {
	what string
	at   time.Time
}{
	{"the NTP era that begins in 2036", time.Date(2036, 2, 7, 6, 30, 0, 0, time.UTC)},
	{"the end of 32-bit time in 2038", time.Date(2038, 1, 19, 3, 16, 0, 0, time.UTC)},
}

// ClockRollover takes the device to the days on which counters of time begin anew.
var ClockRollover = &check.Check{
	ID:    "expiry.clock-rollover",
	Title: "Lives on when counters of time begin anew",
	Why: "Products that are sold today are in use in 2036, when the seconds of NTP begin anew, and in 2038, when 32 bits are full. " +
		"Their clocks then show 1900 or 1901, no certificate is valid any more, and no update reaches them.",
	Pass:         "started anew at 06:30 on 7 February 2036 and at 03:16 on 19 January 2038 by its time servers, with an endpoint whose certificate is valid then: an accepted connection, a clock in its messages that is right within 5 min, and no crash",
	Fix:          "keep time in 64 bits, and take the era of an NTP timestamp from the build date",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"clock.rollover"},
	Sources:      []string{"RFC 5905 section 6", "RFC 4330 section 3"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS, World: true},
	Impact:       check.Restarts,
	Typical:      time.Minute,
	Limit:        time.Hour,
	Run:          clockRollover,
}

// rolled is how a device lived through one of the days.
type rolled struct {
	what        string
	online      bool
	exit        string
	shown       int
	off         time.Duration // of the clock that it showed, from that of its time server
	first, last int
}

func clockRollover(ctx context.Context, t *check.T) error {
	mark := t.Log.Len()
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	field, shows, err := t.Device.FindClock(ctx, mark, t.Device.Reports())
	if err != nil {
		return err
	}
	var all []rolled
	for _, day := range rollovers {
		ahead := day.at.Sub(t.Clock.Now())
		if ahead < 0 {
			continue
		}
		cert, err := t.PKI.ServerAt(pki.Good, t.Device.Part.Host, day.at)
		if err != nil {
			return fmt.Errorf("issue a certificate: %w", err)
		}
		t.Step("start it anew in %s", day.what)
		heals := []func(){t.Impair(t.NTP.Do(ntp.Offset(ahead))), t.Impair(t.Endpoint.Present(endpoint.TLS{Certificate: cert}))}
		s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		if err != nil {
			return err
		}
		_, asked, err := t.Device.AwaitTime(ctx, mark, time.Second)
		if err != nil {
			return err
		}
		if !asked {
			return check.NotApplicable("the device asked no time server when it was started anew")
		}
		r := rolled{what: day.what, online: s != nil, first: mark}
		if s != nil && shows {
			if r.off, r.shown, err = t.Device.NearestClock(ctx, field, mark, ahead, t.Device.Reports()); err != nil {
				return err
			}
			r.off -= ahead
		}
		for _, e := range t.Log.Since(mark) {
			if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
				r.exit = e.Text
			}
		}
		r.last = t.Log.Len() - 1
		for _, heal := range heals {
			heal()
		}
		all = append(all, r)
	}
	if err := t.Healthy(ctx); err != nil {
		return err
	}
	t.Measure("rollovers lived through", float64(len(all)-len(judgeRolled(all))), fmt.Sprintf("of %d", len(all)), "")
	t.Find(judgeRolled(all)...)
	return nil
}

func judgeRolled(all []rolled) (found []check.Finding) {
	for _, r := range all {
		f := check.Finding{Evidence: check.Range(r.first, r.last, "from the start on that day")}
		switch {
		case r.exit != "":
			f.Title, f.Seen = "Crashes in "+r.what, "its process ended with: "+r.exit
		case !r.online:
			f.Title, f.Seen = "Does not come online in "+r.what, "it asked for the time, and no connection was accepted; today one is"
		case r.shown > 0 && r.off.Abs() > 5*time.Minute:
			f.Title, f.Seen = "Has a wrong clock in "+r.what, fmt.Sprintf("its clock is off by %.0f days", r.off.Hours()/24)
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}
