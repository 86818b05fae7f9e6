package mobileos

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// IosSsidAccess looks for apps that set up Wi-Fi and are not told the name of the network.
var IosSsidAccess = &check.Check{
	ID:       "mobileos.ios-ssid-access",
	Title:    "May read the name of the Wi-Fi network where it uses it for set-up",
	Why:      "Since iOS 13 an app without the right sees no name, or a made-up one. Set-up then hands the device the wrong network.",
	Pass:     "every app that joins networks and reads the current one is entitled to com.apple.developer.networking.wifi-info, and one that is entitled has a text for location or joins networks itself",
	Fix:      "Add the entitlement Access Wi-Fi Information and NSLocationWhenInUseUsageDescription, or let users pick the network on the device.",
	Severity: check.Major,

	Incidents: []string{"INC-100"},
	Rows:      []string{"mobile.ios.ssid_access"},
	Sources:   []string{"developer.apple.com: CNCopyCurrentNetworkInfo"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("iOS apps with known entitlements that set up Wi-Fi and read its name", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.IOS == nil || a.IOS.Entitlements == nil || a.IOS.Uses[apps.CurrentSSID] == "" {
			return false, nil
		}
		joins := a.IOS.Uses[apps.JoinsWiFi] != ""
		entitled := a.IOS.Entitlements.True("com.apple.developer.networking.wifi-info")
		if !joins && !entitled { // a library that could use it
			return false, nil
		}
		return true, judgeSSID(a.IOS, entitled, joins)
	}),
}

func judgeSSID(a *apps.IOS, entitled, joins bool) []check.Finding {
	c := change("iOS", "ssid")
	located := a.Info.Text("NSLocationWhenInUseUsageDescription") != "" || a.Info.Text("NSLocationAlwaysAndWhenInUseUsageDescription") != ""
	switch {
	case !entitled:
		return []check.Finding{{
			Title: "Reads the name of the Wi-Fi network without the entitlement",
			Seen:  fmt.Sprintf("%s calls CNCopyCurrentNetworkInfo, and the entitlements do not hold com.apple.developer.networking.wifi-info (%s)", a.Uses[apps.CurrentSSID], c),
		}}
	case !located && !joins:
		return []check.Finding{{
			Title: "Is never told the name of the Wi-Fi network",
			Seen:  fmt.Sprintf("the app is entitled to it, has no text for location in %s and does not join networks itself (%s)", a.File.Name, c),
		}}
	}
	return nil
}
