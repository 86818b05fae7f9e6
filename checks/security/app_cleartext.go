package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AppCleartext looks for apps that may speak without TLS to anybody.
var AppCleartext = &check.Check{
	ID:       "security.app-cleartext",
	Title:    "Permits traffic without TLS to the hosts that need it only",
	Why:      "Permitted for one device in the home network, it holds for the cloud as well: a link that loses its s, or a redirect, sends tokens and home data in the clear, and nothing stops it.",
	Pass:     "no Android app permits cleartext traffic as a whole (usesCleartextTraffic without a config, base-config), and no iOS app has NSAllowsArbitraryLoads",
	Fix:      "Android: a network security config with a domain-config for the host alone. iOS: NSAllowsLocalNetworking, or an exception for the domain.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.5-6", "EN303645:5.8-1", "CRA:I.2e"},
	Rows:         []string{"mobile.android.cleartext"},
	Sources:      []string{"developer.android.com: network security configuration", "developer.apple.com: NSAppTransportSecurity"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("phone apps", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		return true, judgeAppCleartext(a)
	}),
}

func judgeAppCleartext(a *apps.App) []check.Finding {
	why := ""
	switch {
	case a.Android != nil:
		why = openAndroid(a.Android)
	default:
		ats := a.IOS.Info.Dict("NSAppTransportSecurity")
		_, media := ats["NSAllowsArbitraryLoadsForMedia"]
		_, web := ats["NSAllowsArbitraryLoadsInWebContent"]
		_, local := ats["NSAllowsLocalNetworking"] // where one of these stands, iOS looks at them instead
		if ats.True("NSAllowsArbitraryLoads") && !media && !web && !local {
			why = "NSAllowsArbitraryLoads is set in " + a.IOS.File.Name
		}
	}
	if why == "" {
		return nil
	}
	return []check.Finding{{Title: fmt.Sprintf("Lets %s speak without TLS to anybody", a.Name()), Seen: why}}
}

// openAndroid says why an app may speak without TLS to all hosts, or nothing. An app that targets levels below 28 and says nothing does by
// default, which its target makes a finding already.
func openAndroid(a *apps.Android) string {
	switch {
	case a.Network != nil && a.Network.Cleartext != nil && *a.Network.Cleartext:
		return "base-config permits cleartext traffic in " + a.Manifest.Network
	case a.Network == nil && a.Manifest.Network == "" && a.Cleartext != nil && *a.Cleartext:
		return "android:usesCleartextTraffic=\"true\" and no network security config in " + a.File.Path()
	}
	return ""
}
