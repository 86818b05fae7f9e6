package mobileos

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidBluetoothPermissions looks for the permissions that Bluetooth has needed since Android 12.
var AndroidBluetoothPermissions = &check.Check{
	ID:       "mobileos.android-bluetooth-permissions",
	Title:    "Declares the Bluetooth permissions of Android 12, and asks for them",
	Why:      "On Android 12 and later an app without them ends with a SecurityException at the first scan or connection, or finds nothing. Users see an app that lost their device with the phone's update.",
	Pass:     "an app that targets API level 31 or above and uses Bluetooth declares BLUETOOTH_SCAN where it scans and BLUETOOTH_CONNECT where it connects, caps the older permissions at 30, and asks the user",
	Fix:      "Declare BLUETOOTH_SCAN and BLUETOOTH_CONNECT, give BLUETOOTH and BLUETOOTH_ADMIN android:maxSdkVersion=\"30\", and ask before the first scan.",
	Severity: check.Blocker,

	Incidents: []string{"INC-094", "INC-095"},
	Rows:      []string{"mobile.android.bt12_permissions"},
	Sources:   []string{"developer.android.com: Bluetooth permissions"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 31 and ask for Bluetooth", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.TargetSDK < change("Android", "bluetooth").Level.Major || !wantsBluetooth(a.Android) {
			return false, nil
		}
		return true, judgeBluetoothPermissions(a.Android)
	}),
}

// judgeBluetoothPermissions finds what the app lacks. Where its code cannot be read, that it declares neither of the two is enough.
func judgeBluetoothPermissions(a *apps.Android) (findings []check.Finding) {
	c := change("Android", "bluetooth")
	lacks := func(permission, does string) {
		if _, ok := a.Permits(permission, c.Level.Major); !ok {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("%s without %s", does, permission),
				Seen:  fmt.Sprintf("%s targets %d, its code calls what needs %s, and the manifest does not declare that for API level %d (%s)", a.Package, a.TargetSDK, permission, c.Level.Major, c),
			})
		}
	}
	switch {
	case a.Code == nil && !a.Declares("BLUETOOTH_SCAN") && !a.Declares("BLUETOOTH_CONNECT") && !a.Declares("BLUETOOTH_ADVERTISE"):
		findings = append(findings, check.Finding{
			Title: "Has only the Bluetooth permissions of Android 11",
			Seen:  fmt.Sprintf("%s targets %d and declares none of those of API level %d (%s)", a.Package, a.TargetSDK, c.Level.Major, c),
		})
	case a.Code != nil:
		if scans(a.Code) {
			lacks("BLUETOOTH_SCAN", "Scans for Bluetooth devices")
		}
		if connects(a.Code) {
			lacks("BLUETOOTH_CONNECT", "Connects to Bluetooth devices")
		}
	}
	if (a.Declares("BLUETOOTH_SCAN") || a.Declares("BLUETOOTH_CONNECT")) && !asks(a.Code) {
		findings = append(findings, check.Finding{
			Title: "Never asks for the Bluetooth permissions that it declares",
			Seen:  fmt.Sprintf("nothing in the code of %s calls requestPermissions: declared alone, the permission is denied", a.Package),
		})
	}
	for _, old := range []string{"BLUETOOTH", "BLUETOOTH_ADMIN"} {
		if p, ok := a.Permits(old, c.Level.Major); ok {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Asks for %s beyond Android 11", old), Severity: check.Minor,
				Seen: fmt.Sprintf("%s has no android:maxSdkVersion=\"%d\" in the manifest of %s", p.Name, c.Level.Major-1, a.Package),
			})
		}
	}
	return findings
}
