package mobileos

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidTargetDeadline holds the API level that an app targets against what Google Play takes on the day of the launch.
var AndroidTargetDeadline = &check.Check{
	ID:       "mobileos.android-target-deadline",
	Title:    "Targets an API level that Google Play takes on the day of the launch",
	Why:      "The store refuses the upload, and the app cannot be launched, or fixed, on the day on which it must be. Every year the step moves.",
	Pass:     "targetSdkVersion is not below what the store asks of new apps and updates on the launch date (today where none is given)",
	Fix:      "Raise targetSdkVersion, and test the changes of each version in between.",
	Severity: check.Blocker,

	Rows:    []string{"mobile.android.target_deadline"},
	Sources: []string{"Google Play: target API level requirements, support.google.com/googleplay/android-developer/answer/11926878, as of 2026-11-26"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps", func(a *apps.App, t *check.T) (bool, []check.Finding) {
		if a.Android == nil {
			return false, nil
		}
		t.Measure("target API level of "+a.Name(), float64(a.Android.TargetSDK), "", "")
		return true, late("Google Play", "its target API level is", a.Android.TargetSDK, launch(t))
	}),
}
