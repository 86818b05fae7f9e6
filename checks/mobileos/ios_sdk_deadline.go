package mobileos

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// IosSdkDeadline holds the SDK of an app against what the App Store takes on the day of the launch.
var IosSdkDeadline = &check.Check{
	ID:       "mobileos.ios-sdk-deadline",
	Title:    "Is built with an SDK that the App Store takes on the day of the launch",
	Why:      "The store refuses the upload, and the app cannot be launched, or fixed, on the day on which it must be. Every spring the step moves.",
	Pass:     "the iOS SDK that the app was built with is not below what the store asks for on the launch date (today where none is given)",
	Fix:      "Build with the current Xcode, and test what the new SDK changes.",
	Severity: check.Blocker,

	Sources: []string{"developer.apple.com: upcoming requirements, as of 2026-11-26"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("iOS apps that name their SDK", func(a *apps.App, t *check.T) (bool, []check.Finding) {
		if a.IOS == nil || a.IOS.SDK.Major == 0 {
			return false, nil
		}
		t.Measure("SDK of "+a.Name(), float64(a.IOS.SDK.Major), "", "")
		return true, late("App Store", "it is built with the iOS SDK", a.IOS.SDK.Major, launch(t))
	}),
}
