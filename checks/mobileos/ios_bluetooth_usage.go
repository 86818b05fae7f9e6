package mobileos

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// IosBluetoothUsage looks for the texts without which iOS ends an app that uses Bluetooth.
var IosBluetoothUsage = &check.Check{
	ID:       "mobileos.ios-bluetooth-usage",
	Title:    "Says why it uses Bluetooth",
	Why:      "iOS ends the app at its first use of Bluetooth, and the store refuses it before that.",
	Pass:     "an app whose code has CBCentralManager or CBPeripheralManager has a non-empty NSBluetoothAlwaysUsageDescription, and NSBluetoothPeripheralUsageDescription too where it runs below iOS 13",
	Fix:      "Add the key with a sentence that users understand.",
	Severity: check.Blocker,

	Rows:    []string{"mobile.ios.bluetooth_usage"},
	Sources: []string{"developer.apple.com: NSBluetoothAlwaysUsageDescription"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("iOS apps that use Bluetooth", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.IOS == nil || a.IOS.Uses[apps.Bluetooth] == "" {
			return false, nil
		}
		return true, judgeBluetoothUsage(a.IOS)
	}),
}

func judgeBluetoothUsage(a *apps.IOS) (findings []check.Finding) {
	lacks := func(key string, c Change) {
		if strings.TrimSpace(a.Info.Text(key)) == "" {
			findings = append(findings, check.Finding{
				Title: fmt.Sprintf("Uses Bluetooth without %s", key),
				Seen:  fmt.Sprintf("%s uses CoreBluetooth, and %s has no text for %s (%s)", a.Uses[apps.Bluetooth], a.File.Name, key, c),
			})
		}
	}
	always := change("iOS", "bluetooth")
	lacks("NSBluetoothAlwaysUsageDescription", always)
	if a.MinOS.Major > 0 && a.MinOS.Major < always.Level.Major {
		lacks("NSBluetoothPeripheralUsageDescription", change("iOS", "usage-texts"))
	}
	return findings
}
