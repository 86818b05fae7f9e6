package mobileos

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidExported looks for components because of which Android 12 and later do not install an app.
var AndroidExported = &check.Check{
	ID:       "mobileos.android-exported",
	Title:    "Says of every component with an intent filter whether others may use it",
	Why:      "Android 12 and later refuse to install an app that leaves it open. Old phones take the same package without a word.",
	Pass:     "in an app that targets 31 or above each activity, service and receiver with an intent filter has android:exported",
	Fix:      "Add android:exported=\"false\", or \"true\" where other apps are meant to use it; look into the manifests of libraries as well.",
	Severity: check.Blocker,

	Sources: []string{"developer.android.com: behavior changes for apps that target Android 12, safer component exporting"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 31", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.TargetSDK < change("Android", "exported").Level.Major {
			return false, nil
		}
		return true, judgeExported(a.Android)
	}),
}

func judgeExported(a *apps.Android) []check.Finding {
	var open []string
	for _, c := range a.Components {
		if c.Filtered && c.Exported == nil {
			open = append(open, string(c.Kind)+" "+c.Name)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return []check.Finding{{
		Title: "Cannot be installed on Android 12 and later",
		Seen:  fmt.Sprintf("%s targets %d, and with an intent filter and without android:exported are: %s (%s)", a.Package, a.TargetSDK, strings.Join(open[:min(len(open), 10)], ", "), change("Android", "exported")),
	}}
}
