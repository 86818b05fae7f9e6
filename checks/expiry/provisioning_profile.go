package expiry

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// ProvisioningProfile holds the end of an app's provisioning profile against the launch and the support period.
var ProvisioningProfile = &check.Check{
	ID:       "expiry.provisioning-profile",
	Title:    "Has an app that still starts after its provisioning profile ends",
	Why:      "An app that does not come from the store stops starting on the day on which its profile ends, on all phones at once. Installers and fleet operators find out at the customer's.",
	Pass:     "a profile for listed devices or for an organisation ends after the support period (or a year after the launch where none is declared), and one for the store not before the launch",
	Fix:      "Ship through the store, or plan a new build with a new profile well before the day, and have the app say when it ends.",
	Severity: check.Major,

	Sources: []string{"developer.apple.com: TN3125, inside code signing: provisioning profiles"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("iOS apps with a provisioning profile", func(a *apps.App, t *check.T) (bool, []check.Finding) {
		if a.IOS == nil || a.IOS.Profile == nil || a.IOS.Profile.Expires.IsZero() {
			return false, nil
		}
		launch := t.Clock.Now()
		if !t.Product.Launch.IsZero() {
			launch = t.Product.Launch.Time
		}
		until := t.Product.Declared.SupportUntil.Time
		if until.IsZero() {
			until = launch.AddDate(1, 0, 0)
		}
		t.Record("the profile %q of %s ends on %s", a.IOS.Profile.Name, a.Name(), a.IOS.Profile.Expires.Format(time.DateOnly))
		return true, judgeProfile(a.Name(), a.IOS.Profile, launch, until)
	}),
}

func judgeProfile(name string, p *app.Profile, launch, until time.Time) []check.Finding {
	kind := fmt.Sprintf("for %d listed devices", p.Devices)
	if p.AllDevices {
		kind = "for all devices of an organisation"
	}
	switch ends := p.Expires.Format(time.DateOnly); {
	case p.Expires.Before(launch) && p.Store():
		return []check.Finding{{
			Title: "Cannot be uploaded at the launch: its profile has ended", Severity: check.Minor,
			Seen: fmt.Sprintf("the profile %q of %s, for the store, ends on %s; the launch is on %s", p.Name, name, ends, launch.Format(time.DateOnly)),
		}}
	case p.Store():
		return nil
	case p.Expires.Before(launch):
		return []check.Finding{{
			Title: "Does not start on the day of the launch: its profile has ended", Severity: check.Blocker,
			Seen: fmt.Sprintf("the profile %q of %s, %s, ends on %s; the launch is on %s", p.Name, name, kind, ends, launch.Format(time.DateOnly)),
		}}
	case p.Expires.Before(until):
		return []check.Finding{{
			Title: fmt.Sprintf("Stops starting on %s", ends),
			Seen:  fmt.Sprintf("the profile %q of %s, %s, ends on %s, and the app is to work until %s", p.Name, name, kind, ends, until.Format(time.DateOnly)),
		}}
	}
	return nil
}
