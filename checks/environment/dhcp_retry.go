package environment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dhcp"
)

// DhcpRetry starts the device in a network without a DHCP server, which comes up later.
var DhcpRetry = &check.Check{
	ID:    "environment.dhcp-retry",
	Title: "Goes on asking for an address until somebody gives one",
	Why: "After a power cut the device is up before the router is. " +
		"One that gives up stays offline until someone pulls its plug; thousands that ask without a pause keep the router from starting.",
	Pass:         "it asks again and again while no DHCP server answers, at most 30 times in 75 s and with gaps that grow (minor when they do not), and is online within 330 s of a server's start",
	Fix:          "repeat DISCOVER after 4, 8, 16, 32 and then every 64 s, each one second more or less, without end",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Rows:         []string{"net.dhcp.retry"},
	Sources:      []string{"RFC 2131 section 4.1", "github.com/dzungpv/ESPAltherma issue 155"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      3 * time.Minute,
	Limit:        15 * time.Minute,
	Run:          dhcpRetry,
}

const (
	retryWatched = 75 * time.Second  // long enough for four gaps of RFC 2131
	retryMost    = 30                // messages in that time; RFC 2131 makes it 5
	retryBack    = 330 * time.Second // dhclient pauses for 5 minutes
)

func dhcpRetry(ctx context.Context, t *check.T) error {
	heal := t.Impair(t.DHCP.Set(func(l *dhcp.Leases) { l.Silent = dhcp.Everything }))
	t.Step("start it in a network without a DHCP server")
	first, err := started(ctx, t)
	if err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, retryWatched); err != nil {
		return err
	}
	r := asking{first: first.n, last: t.Log.Len() - 1}
	for _, m := range heard(t, first.n, evidence.In, asks) {
		r.at = append(r.at, m.at.Sub(first.at))
	}
	t.Step("start the DHCP server")
	mark, start := t.Log.Len(), t.Clock.Now()
	heal()
	s, err := returned(ctx, t, mark, retryBack)
	if err != nil {
		return err
	}
	t.Measure("DHCP messages in 75 s without an answer", float64(len(r.at)), "", fmt.Sprintf("<= %d", retryMost))
	if r.back = s != nil; r.back {
		t.MeasureTime("DHCP server up to online", s.Since.Sub(start), "<= "+retryBack.String())
	}
	t.Find(judgeAsking(r)...)
	return nil
}

// asking is how a device asked for an address that nobody gave.
type asking struct {
	at          []time.Duration // since the first
	back        bool            // it was online after a server came
	first, last int
}

func judgeAsking(a asking) (found []check.Finding) {
	var gaps []time.Duration
	for i := 1; i < len(a.at); i++ {
		gaps = append(gaps, a.at[i]-a.at[i-1])
	}
	seen := check.Range(a.first, a.last, "75 s without a DHCP server")
	if !a.back {
		found = append(found, check.Finding{
			Title: "Gives up asking for an address",
			Seen:  fmt.Sprintf("it asked %d times in 75 s, and was not online within %.0f s of the server's start", len(a.at), retryBack.Seconds()),
		})
	}
	switch {
	case len(a.at) > retryMost:
		found = append(found, check.Finding{
			Severity: check.Major, Title: "Asks for an address without a pause", Evidence: seen,
			Expected: fmt.Sprintf("at most %d messages in 75 s", retryMost),
			Seen:     fmt.Sprintf("%d messages", len(a.at)),
		})
	case len(gaps) >= 4 && slices.Max(gaps) < slices.Min(gaps)*3/2:
		found = append(found, check.Finding{
			Severity: check.Minor, Title: "Does not wait longer between its questions for an address", Evidence: seen,
			Expected: "gaps that grow, as in 4, 8, 16, 32 s",
			Seen:     fmt.Sprintf("%d gaps between %.1f and %.1f s", len(gaps), slices.Min(gaps).Seconds(), slices.Max(gaps).Seconds()),
		})
	}
	return found
}
