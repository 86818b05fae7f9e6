package security

import (
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AppUserAuthorities looks for apps that trust every certificate that was put into the phone.
var AppUserAuthorities = &check.Check{
	ID:       "security.app-user-authorities",
	Title:    "Trusts no authority that was added to the phone",
	Why:      "Whoever talks a user into installing a profile, or sets up the phones of a company, reads along. Android trusts such authorities no longer by default; a line for testing brings them back.",
	Pass:     "no base-config or domain-config of the network security config has certificates src=\"user\"; debug-overrides may",
	Fix:      "Move the line into debug-overrides.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.5-1", "CRA:I.2e"},
	Sources:      []string{"developer.android.com: network security configuration, trust-anchors"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("Android apps with a network security config", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || a.Android.Network == nil {
			return false, nil
		}
		return true, judgeUserAuthorities(a.Android)
	}),
}

func judgeUserAuthorities(a *apps.Android) []check.Finding {
	if !a.Network.UserCAs {
		return nil
	}
	return []check.Finding{{
		Title: "Trusts authorities that were added to the phone",
		Seen:  fmt.Sprintf("%s of %s has trust-anchors with certificates src=\"user\" outside debug-overrides", a.Manifest.Network, a.Package),
	}}
}
