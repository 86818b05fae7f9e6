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

// AndroidNearbyWifi looks for the permission that setting up devices over Wi-Fi needs since Android 13.
var AndroidNearbyWifi = &check.Check{
	ID:       "mobileos.android-nearby-wifi",
	Title:    "Declares the permission for nearby Wi-Fi devices where it sets such up",
	Why:      "On Android 13 and later a local hotspot, Wi-Fi Direct or Wi-Fi Aware fails without it, with an exception or with no peers. New devices cannot be set up.",
	Pass:     "an app that targets 33 or above, changes Wi-Fi and calls what opens hotspots or finds Wi-Fi peers declares NEARBY_WIFI_DEVICES",
	Fix:      "Declare NEARBY_WIFI_DEVICES with android:usesPermissionFlags=\"neverForLocation\", ask for it, and say what fails when it is refused.",
	Severity: check.Major,

	Rows:    []string{"mobile.android.nearby_wifi"},
	Sources: []string{"developer.android.com: request permission to access nearby Wi-Fi devices"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps that target API level 33 and set up Wi-Fi devices", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.TargetSDK < change("Android", "nearby-wifi").Level.Major || !a.Android.Declares("CHANGE_WIFI_STATE") || nearby(a.Android.Code) == "" {
			return false, nil
		}
		return true, judgeNearbyWifi(a.Android)
	}),
}

// nearby is what the code calls that needs the permission, or nothing.
func nearby(c *app.Code) string {
	if c == nil {
		return ""
	}
	for _, m := range []app.Method{
		{Class: "Landroid/net/wifi/WifiManager;", Name: "startLocalOnlyHotspot"},
		{Class: "Landroid/net/wifi/p2p/WifiP2pManager;", Name: "discoverPeers"},
		{Class: "Landroid/net/wifi/p2p/WifiP2pManager;", Name: "discoverServices"},
		{Class: "Landroid/net/wifi/p2p/WifiP2pManager;", Name: "connect"},
		{Class: "Landroid/net/wifi/p2p/WifiP2pManager;", Name: "createGroup"},
		{Class: "Landroid/net/wifi/aware/WifiAwareManager;", Name: "attach"},
		{Class: "Landroid/net/wifi/aware/WifiAwareSession;", Name: "publish"},
		{Class: "Landroid/net/wifi/aware/WifiAwareSession;", Name: "subscribe"},
		{Class: "Landroid/net/wifi/rtt/WifiRttManager;", Name: "startRanging"},
	} {
		if c.Methods[m] {
			return m.Class + "->" + m.Name
		}
	}
	return ""
}

func judgeNearbyWifi(a *apps.Android) []check.Finding {
	c := change("Android", "nearby-wifi")
	if _, ok := a.Permits("NEARBY_WIFI_DEVICES", c.Level.Major); ok {
		return nil
	}
	return []check.Finding{{
		Title: "Sets up Wi-Fi devices without the permission for nearby ones",
		Seen:  fmt.Sprintf("%s targets %d, calls %s and does not declare NEARBY_WIFI_DEVICES (%s)", a.Package, a.TargetSDK, nearby(a.Code), c),
	}}
}
