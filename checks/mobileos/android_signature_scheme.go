package mobileos

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidSignatureScheme looks for signatures that Android 11 and later do not take.
var AndroidSignatureScheme = &check.Check{
	ID:       "mobileos.android-signature-scheme",
	Title:    "Is signed by a scheme that all of its phones take",
	Why:      "Android 11 and later do not install an app that targets them and is signed by the JAR scheme alone; phones before Android 7 know no other. Users get an error without a reason.",
	Pass:     "an APK that targets 30 or above has a signature of scheme 2 or 3, and one that installs on API levels below 24 has one of scheme 1",
	Fix:      "Sign with apksigner, which picks the schemes by minSdkVersion; jarsigner knows the oldest only.",
	Severity: check.Blocker,

	Sources: []string{"developer.android.com: behavior changes for apps that target Android 11", "source.android.com: APK signature schemes"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("signed Android packages", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.Bundle || len(a.Android.Signatures.Schemes) == 0 {
			return false, nil
		}
		return true, judgeSignatureSchemes(a.Android)
	}),
}

func judgeSignatureSchemes(a *apps.Android) []check.Finding {
	c := change("Android", "signature-v2")
	const knowsSecond = 24 // the API level from which on phones know scheme 2
	whole := slices.ContainsFunc(a.Signatures.Schemes, func(n int) bool { return n >= 2 })
	jar := slices.Contains(a.Signatures.Schemes, 1)
	switch {
	case !whole && a.TargetSDK >= c.Level.Major:
		return []check.Finding{{
			Title: "Cannot be installed on Android 11 and later",
			Seen:  fmt.Sprintf("%s targets %d and is signed by the JAR scheme alone (%s)", a.Package, a.TargetSDK, c),
		}}
	case !jar && a.MinSDK < knowsSecond:
		return []check.Finding{{
			Title: "Cannot be installed on phones before Android 7",
			Seen:  fmt.Sprintf("%s installs from API level %d on, and has no signature by the JAR scheme, the only one that levels below %d know", a.Package, a.MinSDK, knowsSecond),
		}}
	}
	return nil
}
