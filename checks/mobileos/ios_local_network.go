package mobileos

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// IosLocalNetwork holds what an app looks for in the home network against what it declares.
var IosLocalNetwork = &check.Check{
	ID:       "mobileos.ios-local-network",
	Title:    "Names the Bonjour services that it looks for, and why",
	Why:      "From iOS 14 on a search for a service that is not listed fails, and the question to the user has no reason in it. The device is there, and the app finds nothing.",
	Pass:     "every app that browses Bonjour services has NSLocalNetworkUsageDescription and a list NSBonjourServices, which holds the service by which the product's devices are found; the entitlement for multicast stands for the list",
	Fix:      "List every service type under NSBonjourServices, and add NSLocalNetworkUsageDescription.",
	Severity: check.Blocker,

	Incidents: []string{"INC-097"},
	Rows:      []string{"mobile.ios.local_network"},
	Sources:   []string{"developer.apple.com: TN3179, understanding local network privacy"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("iOS apps that look for devices in the home network", func(a *apps.App, t *check.T) (bool, []check.Finding) {
		if a.IOS == nil || a.IOS.Uses[apps.Bonjour] == "" && len(a.IOS.Info.Texts("NSBonjourServices")) == 0 {
			return false, nil
		}
		var services []string
		for _, p := range t.Product.Parts {
			if p.Local != nil && p.Local.Service != "" {
				services = append(services, p.Local.Service)
			}
		}
		return true, judgeLocalUsage(a.IOS, services)
	}),
}

// judgeLocalUsage holds what the app declares against how it looks for devices, and against the services of the product's devices.
func judgeLocalUsage(a *apps.IOS, services []string) (findings []check.Finding) {
	c := change("iOS", "local-network")
	if strings.TrimSpace(a.Info.Text("NSLocalNetworkUsageDescription")) == "" {
		findings = append(findings, check.Finding{
			Title: "Looks for devices in the home network and does not say why", Severity: check.Major,
			Seen: fmt.Sprintf("%s has no text for NSLocalNetworkUsageDescription (%s)", a.File.Name, c),
		})
	}
	if a.Entitlements.True(multicastEntitlement) {
		return findings
	}
	listed := a.Info.Texts("NSBonjourServices")
	for i, s := range listed {
		listed[i] = strings.TrimSuffix(strings.ToLower(s), ".")
	}
	if len(listed) == 0 {
		return append(findings, check.Finding{
			Title: "Looks for Bonjour services and lists none",
			Seen:  fmt.Sprintf("%s browses services, and %s has no NSBonjourServices (%s)", a.Uses[apps.Bonjour], a.File.Name, c),
		})
	}
	for _, s := range services {
		if !slices.Contains(listed, strings.TrimSuffix(strings.ToLower(s), ".")) {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Cannot find the product's devices: %s is not listed", s),
				Seen:  fmt.Sprintf("the product file says that devices are found by %s, and NSBonjourServices of %s has %s (%s)", s, a.File.Name, strings.Join(listed, ", "), c),
			})
		}
	}
	return findings
}
