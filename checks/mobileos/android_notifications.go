package mobileos

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidNotifications looks for the permission and the question without which no notification shows.
var AndroidNotifications = &check.Check{
	ID:       "mobileos.android-notifications",
	Title:    "Declares the notification permission, and asks for it",
	Why:      "On Android 13 and later an app that does not declare and ask shows no notification at all. Alarms of the product reach the phone and nobody sees them.",
	Pass:     "an app that targets 33 or above and takes push messages declares POST_NOTIFICATIONS, and its code asks the user",
	Fix:      "Declare POST_NOTIFICATIONS and ask when the user switches alarms on; say in the app when they are off.",
	Severity: check.Blocker,

	Incidents: []string{"INC-055"},
	Rows:      []string{"mobile.android.notifications"},
	Sources:   []string{"developer.android.com: behavior changes for apps that target Android 13"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 33 and notify", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.TargetSDK < change("Android", "notifications").Level.Major || !notifies(a.Android) {
			return false, nil
		}
		return true, judgeNotifications(a.Android)
	}),
}

// notifies reports whether the app takes push messages, or says that it notifies.
func notifies(a *apps.Android) bool {
	return a.Declares("POST_NOTIFICATIONS") || slices.ContainsFunc(a.Components, func(c app.Component) bool {
		return c.Kind == app.Service && slices.Contains(c.Actions, "com.google.firebase.MESSAGING_EVENT")
	})
}

func judgeNotifications(a *apps.Android) []check.Finding {
	c := change("Android", "notifications")
	if _, ok := a.Permits("POST_NOTIFICATIONS", c.Level.Major); !ok {
		return []check.Finding{{
			Title: "Shows no notification on Android 13 and later",
			Seen:  fmt.Sprintf("%s targets %d, takes push messages and does not declare POST_NOTIFICATIONS (%s)", a.Package, a.TargetSDK, c),
		}}
	}
	if !asks(a.Code) {
		return []check.Finding{{
			Title: "Never asks whether it may notify",
			Seen:  fmt.Sprintf("%s declares POST_NOTIFICATIONS, and nothing in its code calls requestPermissions: declared alone, it is denied", a.Package),
		}}
	}
	return nil
}
