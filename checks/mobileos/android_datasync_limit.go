package mobileos

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidDatasyncLimit looks for services that Android 15 ends after six hours, and that do not notice.
var AndroidDatasyncLimit = &check.Check{
	ID:       "mobileos.android-datasync-limit",
	Title:    "Ends its synchronising service itself when six hours are over",
	Why:      "Android 15 lets a dataSync service run for six hours a day. One that goes on after onTimeout is ended with an exception: an app that holds its connection so is gone every evening.",
	Pass:     "each service of type dataSync or mediaProcessing in an app that targets 35 or above has a method onTimeout",
	Fix:      "Implement Service.onTimeout(int, int) and stop there, or hold the connection with a connectedDevice service or push messages.",
	Severity: check.Major,

	Rows:    []string{"mobile.android.datasync_6h"},
	Sources: []string{"developer.android.com: behavior changes for apps that target Android 15"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 35 and have services of type dataSync or mediaProcessing", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.TargetSDK < change("Android", "service-limit").Level.Major {
			return false, nil
		}
		return judgeDatasync(a.Android)
	}),
}

// judgeDatasync looks at the services of which the code is known.
func judgeDatasync(a *apps.Android) (applies bool, findings []check.Finding) {
	const limited = 0x1 | 0x2000
	for _, s := range a.Components {
		if s.Kind != app.Service || s.Types&limited == 0 || a.Code == nil {
			continue
		}
		has, known := a.Code.Has(app.Descriptor(s.Name), "onTimeout")
		if !known {
			continue
		}
		applies = true
		if !has {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Is ended by Android when %s has run for six hours", s.Name),
				Seen:  fmt.Sprintf("%s of %s is of a type that is limited to six hours, and has no onTimeout (%s)", s.Name, a.Package, change("Android", "service-limit")),
			})
		}
	}
	return applies, findings
}
