package mobileos

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AndroidLocalNetwork looks for the permission without which Android 17 lets no app into the home network.
var AndroidLocalNetwork = &check.Check{
	ID:       "mobileos.android-local-network",
	Title:    "Is ready for the permission to the home network",
	Why:      "An app that targets Android 17 and has not asked for it reaches nothing in the home network: connections time out without an error that says why. Google Play will ask for that target a year later.",
	Pass:     "an app that looks for devices in the home network (NsdManager, multicast) declares ACCESS_LOCAL_NETWORK: at once where it targets 37, before the next target otherwise",
	Fix:      "Declare ACCESS_LOCAL_NETWORK, ask before the first search, and tell users without consent why their devices are missing; or use the system's picker.",
	Severity: check.Blocker,

	Rows:    []string{"mobile.android.local_network"},
	Sources: []string{"developer.android.com: local network permission, as of 2026-11-26"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that look for devices in the home network", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || !discovers(a.Android) {
			return false, nil
		}
		return true, judgeLocalNetwork(a.Android)
	}),
}

// discovers reports whether the app looks for devices by multicast.
func discovers(a *apps.Android) bool {
	c := a.Code
	return c != nil && (c.Calls("Landroid/net/nsd/NsdManager;", "discoverServices", "resolveService") ||
		a.Declares("CHANGE_WIFI_MULTICAST_STATE") && c.Calls("Landroid/net/wifi/WifiManager;", "createMulticastLock"))
}

func judgeLocalNetwork(a *apps.Android) []check.Finding {
	c := change("Android", "local-network")
	if a.Declares("ACCESS_LOCAL_NETWORK") {
		return nil
	}
	f := check.Finding{
		Title: "Reaches nothing in the home network on Android 17",
		Seen:  fmt.Sprintf("%s targets %d, looks for devices in the home network and does not declare ACCESS_LOCAL_NETWORK (%s)", a.Package, a.TargetSDK, c),
	}
	if a.TargetSDK < c.Level.Major {
		f.Severity = check.Minor
		f.Title = fmt.Sprintf("Will reach nothing in the home network once it targets %d", c.Level.Major)
	}
	return []check.Finding{f}
}
