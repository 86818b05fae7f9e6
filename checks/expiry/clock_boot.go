package expiry

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/ntp"
	"github.com/shakedown-test/shakedown/world/pki"
)

// ClockBoot powers the device on for the first time while no time server answers.
var ClockBoot = &check.Check{
	ID:    "expiry.clock-boot",
	Title: "Gets along without the time at power-on",
	Why: "A device without a battery for its clock wakes in 1970, when no certificate is valid yet. " +
		"Some then connect without looking at certificates, some crash, and some ask for the time once, before the network is there, and never again.",
	Pass: "powered on while no time server answers: no application byte to an endpoint whose certificate no trusted authority signed, and no crash (blocker); when time servers answer, " +
		"it asks within 4 min, if it is not online by then, and has an accepted connection within twice the reconnect cap, connect_within and 10 s of the reply",
	Fix:          "wait for the time with a growing pause, with the build date as the earliest possible time, and never switch verification off",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "CRA:I.2h", "EN303645:5.5-1", "EN303645:5.9-3"},
	Incidents:    []string{"INC-080", "INC-082"},
	Rows:         []string{"clock.boot-1970"},
	Sources:      []string{"github.com/arendst/Tasmota pull 9757", "github.com/espressif/esp-at issue 432"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS, World: true},
	Impact:       check.Restarts,
	Typical:      90 * time.Second,
	Limit:        time.Hour,
	Run:          clockBoot,
}

// timeless is what a device did that had no time.
type timeless struct {
	unverified []testbed.Attempt // that sent application bytes to an endpoint that nobody vouches for
	exits      []string
	hellos     int           // most ClientHellos within a minute
	arrived    bool          // a time server answered it at last
	limit      time.Duration // from then to an accepted connection
	online     bool          // within it
}

// askAgain is how long a device may take to ask for the time again.
const askAgain = 4 * time.Minute

func clockBoot(ctx context.Context, t *check.T) error {
	cert, err := t.PKI.Server(pki.UntrustedCA, t.Device.Part.Host)
	if err != nil {
		return fmt.Errorf("issue a certificate: %w", err)
	}
	silent := t.Impair(t.NTP.Do(ntp.Silent()))
	trusted := t.Impair(t.Endpoint.Present(endpoint.TLS{Certificate: cert}))
	t.Step("power it on; no time server answers, and nobody vouches for its endpoint")
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	if err := t.Clock.Sleep(ctx, 25*time.Second); err != nil {
		return err
	}
	var l timeless
	for _, a := range testbed.Attempts(t.Log.Since(0)) {
		if a.Bytes > 0 || a.Connect != nil {
			l.unverified = append(l.unverified, a)
		}
	}
	t.Step("give its endpoint the right certificate")
	mark := t.Log.Len()
	trusted()
	t.Link.Cut(true)
	if err := t.Clock.Sleep(ctx, 15*time.Second); err != nil {
		return err
	}
	if err := l.timeCome(ctx, t, mark, silent); err != nil {
		return err
	}
	t.Find(judgeTimeless(l)...)
	return nil
}

// timeCome heals the time servers, and waits for the device to be online, which it may have been before. Its restart is the control that
// all else is in order.
func (l *timeless) timeCome(ctx context.Context, t *check.T, mark int, heal func()) error {
	t.Step("let time servers answer")
	healed := t.Log.Len()
	heal()
	l.limit = 2*t.Device.Cap() + t.Device.ConnectWithin() + 10*time.Second
	online := func() bool {
		s, err := t.Device.NextSession(ctx, mark, time.Second)
		return err == nil && s != nil
	}
	end := t.Clock.Now().Add(askAgain)
	for !l.online && !l.arrived && t.Clock.Now().Before(end) && ctx.Err() == nil {
		if l.online = online(); l.online {
			break
		}
		var err error
		if _, l.arrived, err = t.Device.AwaitTime(ctx, healed, time.Second); err != nil {
			return err
		}
	}
	start := t.Clock.Now()
	for !l.online && l.arrived && t.Clock.Since(start) < l.limit && ctx.Err() == nil {
		if l.online = online(); !l.online {
			_ = t.Clock.Sleep(ctx, 200*time.Millisecond) // its error ends the loop
		}
	}
	if l.online && l.arrived {
		t.MeasureTime("time to accepted connection", t.Clock.Since(start), "<= "+l.limit.String())
	}
	for _, e := range t.Log.Since(0) {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			l.exits = append(l.exits, e.Text)
		}
	}
	if l.online || ctx.Err() != nil {
		return ctx.Err()
	}
	return t.Healthy(ctx)
}

func judgeTimeless(l timeless) (found []check.Finding) {
	if n := len(l.unverified); n > 0 {
		a := l.unverified[0]
		found = append(found, check.Finding{
			Title:    "Does not verify its server while it has no time",
			Expected: "no application byte to an endpoint whose certificate no trusted authority signed",
			Seen:     fmt.Sprintf("application bytes on %d connections, at first %s", n, a.BytesText),
			Evidence: check.Range(a.First, a.Last, "the first of them"),
		})
	}
	if len(l.exits) > 0 {
		found = append(found, check.Finding{
			Title:    "Crashes while it has no time",
			Expected: "no crash",
			Seen:     fmt.Sprintf("its process ended %d times, at first with: %s", len(l.exits), l.exits[0]),
		})
	}
	if l.hellos > mostHellos {
		found = append(found, check.Finding{
			Title:    "Tries TLS without a pause while it has no time",
			Expected: fmt.Sprintf("at most %d attempts within 60 s", mostHellos),
			Seen:     fmt.Sprintf("%d ClientHellos within 60 s", l.hellos),
		})
	}
	if l.online || len(l.exits) > 0 {
		return found
	}
	seen := fmt.Sprintf("no connection was accepted within %s of the reply that told it the time; when it was started anew, it came", l.limit)
	if !l.arrived {
		seen = fmt.Sprintf("it did not ask for the time within %s, and was not online either; when it was started anew, it came", askAgain)
	}
	return append(found, check.Finding{
		Title:    "Stays offline after a power-on without the time",
		Expected: "an accepted connection once the time is known",
		Seen:     seen,
	})
}
