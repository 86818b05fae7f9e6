package expiry

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AppPins looks at the keys that an app pins.
var AppPins = &check.Check{
	ID:       "expiry.app-pins",
	Title:    "Pins a second key in its app, for the day on which the first changes",
	Why:      "When the server gets a new key, an app that knows the old one alone cuts off every user until all of them have updated.",
	Pass:     "each pin-set of the network security config has two pins or more, and has not ended before the launch",
	Fix:      "Add the pin of a spare key that is kept offline, and move the expiration with each release.",
	Severity: check.Major,

	Incidents: []string{"INC-012"},
	Sources:   []string{"developer.android.com: network security configuration, pin-set: a backup key should always be pinned"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that pin keys", func(a *apps.App, t *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.Network == nil {
			return false, nil
		}
		launch := t.Clock.Now()
		if !t.Product.Launch.IsZero() {
			launch = t.Product.Launch.Time
		}
		return judgeAppPins(a.Android.Network.Domains, launch)
	}),
}

func judgeAppPins(domains []app.Domain, launch time.Time) (applies bool, findings []check.Finding) {
	for _, d := range domains {
		if d.Pins == 0 {
			continue
		}
		applies = true
		hosts := strings.Join(d.Names[:min(len(d.Names), 5)], ", ")
		switch {
		case !d.PinsUntil.IsZero() && d.PinsUntil.Before(launch):
			findings = append(findings, check.Finding{
				Title: "Has pins that are no longer looked at when it is launched", Severity: check.Minor,
				Seen: fmt.Sprintf("the pins for %s end on %s, and the launch is on %s: from then on any authority is trusted", hosts, d.PinsUntil.Format(time.DateOnly), launch.Format(time.DateOnly)),
			})
		case d.Pins == 1:
			findings = append(findings, check.Finding{
				Title: "Cuts its users off when the server's key changes",
				Seen:  fmt.Sprintf("one key is pinned for %s, and no second one", hosts),
			})
		}
	}
	return applies, findings
}
