package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// timeSilent is how long no time server answers.
const timeSilent = 150 * time.Second

// SNTPRate silences every time server.
var SNTPRate = &check.Check{
	ID:    "environment.sntp-rate",
	Title: "Asks silent time servers less and less often",
	Why: "In 2003 the routers of one maker asked a university's time server once a second each when it did not answer, 700,000 of them. " +
		"The server cannot recover from that, and its owner will find out whose devices they are.",
	Pass: "while no time server answers for 150 s after its start, at most one request in 15 s on average and one more (major; more than one in 2 s: blocker), " +
		"and a last pause that is at least 1.3 times as long as the first (minor)",
	Fix:          "double the pause after every request without a reply, up to hours, with chance in it",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2i"},
	Rows:         []string{"clock.sntp.rate"},
	Sources:      []string{"RFC 4085 appendix A", "RFC 4330 section 10"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      160 * time.Second,
	Limit:        30 * time.Minute,
	Run:          sntpRate,
}

func sntpRate(ctx context.Context, t *check.T) error {
	w := t.Watch()
	heal := t.Impair(t.NTP.Do(ntp.Silent()))
	t.Step("start it, and let no time server answer for %s", timeSilent)
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	if err := t.Clock.Sleep(ctx, timeSilent); err != nil {
		return err
	}
	asked := w.Sent(false, timePort)
	heal()
	if len(asked) == 0 {
		return check.NotApplicable("the device asked no time server within %s of its start", timeSilent)
	}
	t.Measure("requests to silent time servers", float64(len(asked)), "requests", fmt.Sprintf("<= %.0f", timeSilent.Seconds()/15+1))
	t.Find(judgeTimeRate(asked, timeSilent)...)
	return t.Healthy(ctx)
}

// timePort is that of time servers.
const timePort = 123

func judgeTimeRate(asked []testbed.Sent, span time.Duration) []check.Finding {
	n := len(asked)
	if float64(n) > span.Seconds()/15+1 {
		severity := check.Major
		if float64(n) > span.Seconds()/2 {
			severity = check.Blocker
		}
		return []check.Finding{{
			Severity: severity,
			Title:    "Asks silent time servers without a pause",
			Expected: fmt.Sprintf("at most %.0f requests in %.0f s", span.Seconds()/15+1, span.Seconds()),
			Seen:     fmt.Sprintf("%d requests, which is one in %.1f s", n, span.Seconds()/float64(n)),
		}}
	}
	if n < 4 {
		return nil
	}
	first, last := asked[1].At.Sub(asked[0].At), asked[n-1].At.Sub(asked[n-2].At)
	if float64(last) < 1.3*float64(first) {
		return []check.Finding{{
			Severity: check.Minor,
			Title:    "Asks silent time servers as often as before",
			Expected: "pauses that grow",
			Seen:     fmt.Sprintf("%.1f s between the first two requests, and %.1f s between the last two of %d", first.Seconds(), last.Seconds(), n),
		}}
	}
	return nil
}
