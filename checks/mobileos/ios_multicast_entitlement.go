package mobileos

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// IosMulticastEntitlement looks for own multicast without the entitlement.
var IosMulticastEntitlement = &check.Check{
	ID:       "mobileos.ios-multicast-entitlement",
	Title:    "Has the entitlement for the multicast that it uses",
	Why:      "Multicast and broadcast of one's own, SSDP for example, fail with 'no route to host' where Apple has not granted them; up to iOS 15 they often worked without.",
	Pass:     "every app whose code has multicast groups or the address of SSDP is entitled to com.apple.developer.networking.multicast, or browses Bonjour as well",
	Fix:      "Ask Apple for the entitlement, which takes weeks and may be refused, or find devices by Bonjour.",
	Severity: check.Major,

	Incidents: []string{"INC-096"},
	Rows:      []string{"mobile.ios.multicast_entitlement"},
	Sources:   []string{"developer.apple.com: TN3179, understanding local network privacy", "developer.apple.com: com.apple.developer.networking.multicast"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("iOS apps with known entitlements that use multicast of their own", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.IOS == nil || a.IOS.Entitlements == nil || a.IOS.Uses[apps.Multicast] == "" {
			return false, nil
		}
		return true, judgeMulticast(a.IOS)
	}),
}

const multicastEntitlement = "com.apple.developer.networking.multicast"

func judgeMulticast(a *apps.IOS) []check.Finding {
	if a.Entitlements.True(multicastEntitlement) {
		return nil
	}
	f := check.Finding{
		Title: "Uses multicast without the entitlement",
		Seen:  fmt.Sprintf("%s uses multicast groups, and the entitlements do not hold %s (%s)", a.Uses[apps.Multicast], multicastEntitlement, change("iOS", "multicast")),
	}
	if a.Uses[apps.Bonjour] != "" { // another way to the devices
		f.Severity = check.Minor
		f.Seen += "; it browses Bonjour as well, which may be enough"
	}
	return []check.Finding{f}
}
