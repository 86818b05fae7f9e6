package mobileos

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidExactAlarm looks for exact alarms that are set without looking whether they may be.
var AndroidExactAlarm = &check.Check{
	ID:       "mobileos.android-exact-alarm",
	Title:    "Looks whether it may set exact alarms before it does",
	Why:      "Since Android 14 a newly installed app may not set exact alarms until the user lets it. One that does not look throws, or its schedules come late, on new phones only.",
	Pass:     "an app that targets 33 or above and declares SCHEDULE_EXACT_ALARM for API level 34 calls canScheduleExactAlarms, or has USE_EXACT_ALARM",
	Fix:      "Call AlarmManager.canScheduleExactAlarms and fall back to inexact alarms; let the device keep its schedules.",
	Severity: check.Major,

	Rows:    []string{"mobile.android.exact_alarm"},
	Sources: []string{"developer.android.com: exact alarms are denied by default"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 33 and set exact alarms", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		c := change("Android", "exact-alarm")
		if a.Android == nil || a.Android.Code == nil || a.Android.TargetSDK < c.Level.Major {
			return false, nil
		}
		_, schedules := a.Android.Permits("SCHEDULE_EXACT_ALARM", c.Level.Major+1)
		return schedules && a.Android.Code.Calls(alarms, "setExact", "setExactAndAllowWhileIdle", "setAlarmClock"), judgeExactAlarm(a.Android)
	}),
}

const alarms = "Landroid/app/AlarmManager;"

func judgeExactAlarm(a *apps.Android) []check.Finding {
	if a.Declares("USE_EXACT_ALARM") || a.Code.Calls(alarms, "canScheduleExactAlarms") {
		return nil
	}
	return []check.Finding{{
		Title: "Sets exact alarms without looking whether it may",
		Seen:  fmt.Sprintf("%s declares SCHEDULE_EXACT_ALARM and sets exact alarms, and nothing in its code calls canScheduleExactAlarms (%s)", a.Package, change("Android", "exact-alarm")),
	}}
}
