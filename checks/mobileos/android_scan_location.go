package mobileos

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidScanLocation looks for the location permission without which Bluetooth scans find nothing.
var AndroidScanLocation = &check.Check{
	ID:       "mobileos.android-scan-location",
	Title:    "Has the location permission on every Android that hides scan results without it",
	Why:      "Up to Android 11 a scan without location succeeds and finds nothing, without any error. Set-up fails on those phones only, and nobody knows why.",
	Pass:     "an app that scans for Bluetooth devices declares ACCESS_FINE_LOCATION (ACCESS_COARSE_LOCATION where it targets below 29) for every API level up to 30 that it installs on, and beyond unless BLUETOOTH_SCAN says neverForLocation",
	Fix:      "Declare ACCESS_FINE_LOCATION with android:maxSdkVersion=\"30\", and BLUETOOTH_SCAN with android:usesPermissionFlags=\"neverForLocation\".",
	Severity: check.Major,

	Rows:    []string{"mobile.android.scan_location"},
	Sources: []string{"developer.android.com: Bluetooth permissions", "developer.android.com: privacy changes in Android 10"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that scan for Bluetooth devices", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || !wantsBluetooth(a.Android) || !scans(a.Android.Code) {
			return false, nil
		}
		return true, judgeScanLocation(a.Android)
	}),
}

func judgeScanLocation(a *apps.Android) []check.Finding {
	fine := change("Android", "scan-location")
	own := change("Android", "bluetooth").Level.Major // from here on the permission to scan may do alone
	name := "ACCESS_FINE_LOCATION"
	holds := func(api int) bool {
		if _, ok := a.Permits(name, api); ok {
			return true
		}
		_, coarse := a.Permits("ACCESS_COARSE_LOCATION", api)
		return coarse && a.TargetSDK < fine.Level.Major
	}
	first := max(a.MinSDK, change("Android", "permissions").Level.Major)
	if first < own && (!holds(first) || !holds(own-1)) {
		return []check.Finding{{
			Title: "Finds no Bluetooth device on phones before Android 12",
			Seen:  fmt.Sprintf("%s installs from API level %d on and scans, and %s is not declared for all levels up to %d (%s)", a.Package, a.MinSDK, name, own-1, fine),
		}}
	}
	if scan, ok := a.Permits("BLUETOOTH_SCAN", own); ok && a.TargetSDK >= own && !scan.NeverForLocation && !holds(own) {
		return []check.Finding{{
			Title: "Finds no Bluetooth device on Android 12 and later",
			Seen:  fmt.Sprintf("BLUETOOTH_SCAN of %s does not say neverForLocation, so that results need %s, which is not declared for API level %d", a.Package, name, own),
		}}
	}
	return nil
}
