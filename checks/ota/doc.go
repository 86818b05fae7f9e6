// Package ota holds the checks of one risk: over-the-air updates. An update that is interrupted, meant for another model, or
// rolled back leaves a device that nobody can reach any more.
package ota

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "ota",
	Title: "Over-the-air updates",
	Plain: "An update that is interrupted, meant for another model, or rolled back leaves a device that nobody can reach any more.",
	Checks: []*check.Check{
		UpdateSlots,
		ImageSigned,
		ImageIntact,
		DowngradeCounter,
	},
}
