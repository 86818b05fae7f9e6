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

// AndroidServiceType looks for foreground services without a type, or without the permission of their type.
var AndroidServiceType = &check.Check{
	ID:       "mobileos.android-service-type",
	Title:    "Gives every foreground service its type and the permission of that type",
	Why:      "On Android 14 a foreground service without its type, or without the permission of the type, throws when it starts. The app crashes as soon as it goes on working in the background.",
	Pass:     "each service that calls startForeground in an app that targets 34 or above has a foregroundServiceType, and each type its FOREGROUND_SERVICE permission",
	Fix:      "Add android:foregroundServiceType (connectedDevice for most that speak to a device) and the permission of that name.",
	Severity: check.Blocker,

	Rows:    []string{"mobile.android.fgs_type"},
	Sources: []string{"developer.android.com: foreground service types are required"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 34 and have foreground services", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.TargetSDK < change("Android", "service-type").Level.Major || len(foreground(a.Android)) == 0 {
			return false, nil
		}
		return true, judgeServiceTypes(a.Android)
	}),
}

// serviceTypes are those of android.content.pm.ServiceInfo, with the permission that each needs; a short service needs none.
var serviceTypes = []struct {
	bit        uint32
	permission string
}{
	{0x1, "FOREGROUND_SERVICE_DATA_SYNC"},
	{0x2, "FOREGROUND_SERVICE_MEDIA_PLAYBACK"},
	{0x4, "FOREGROUND_SERVICE_PHONE_CALL"},
	{0x8, "FOREGROUND_SERVICE_LOCATION"},
	{0x10, "FOREGROUND_SERVICE_CONNECTED_DEVICE"},
	{0x20, "FOREGROUND_SERVICE_MEDIA_PROJECTION"},
	{0x40, "FOREGROUND_SERVICE_CAMERA"},
	{0x80, "FOREGROUND_SERVICE_MICROPHONE"},
	{0x100, "FOREGROUND_SERVICE_HEALTH"},
	{0x200, "FOREGROUND_SERVICE_REMOTE_MESSAGING"},
	{0x400, "FOREGROUND_SERVICE_SYSTEM_EXEMPTED"},
	{0x2000, "FOREGROUND_SERVICE_MEDIA_PROCESSING"},
	{0x40000000, "FOREGROUND_SERVICE_SPECIAL_USE"},
}

// unused are services of libraries that are in the manifest of every app that has the library, and in the foreground in few.
var unused = []string{"androidx.work.impl.foreground.SystemForegroundService"}

// foreground are the services that have a type or whose class calls startForeground.
func foreground(a *apps.Android) (list []app.Component) {
	for _, c := range a.Components {
		if c.Kind != app.Service || slices.Contains(unused, c.Name) && c.Types == 0 {
			continue
		}
		if c.Types != 0 || a.Code != nil && a.Code.Methods[app.Method{Class: app.Descriptor(c.Name), Name: "startForeground"}] {
			list = append(list, c)
		}
	}
	return list
}

func judgeServiceTypes(a *apps.Android) (findings []check.Finding) {
	c := change("Android", "service-type")
	lacking := map[string]bool{}
	for _, s := range foreground(a) {
		if s.Types == 0 {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Starts %s in the foreground without a type", s.Name),
				Seen:  fmt.Sprintf("%s targets %d, %s calls startForeground, and the manifest gives it no foregroundServiceType (%s)", a.Package, a.TargetSDK, s.Name, c),
			})
			continue
		}
		need := []string{"FOREGROUND_SERVICE"}
		for _, t := range serviceTypes {
			if s.Types&t.bit != 0 {
				need = append(need, t.permission)
			}
		}
		for _, p := range need {
			if _, ok := a.Permits(p, c.Level.Major); !ok && !lacking[p] {
				lacking[p] = true
				findings = append(findings, check.Finding{
					Title: fmt.Sprintf("Has a foreground service whose type needs %s, and does not declare it", p),
					Seen:  fmt.Sprintf("%s of %s is of type %#x, and android.permission.%s is not declared for API level %d (%s)", s.Name, a.Package, s.Types, p, c.Level.Major, c),
				})
			}
		}
	}
	return findings
}
