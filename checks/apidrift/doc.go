// Package apidrift holds the checks of one risk: drift of cloud APIs. The cloud moves on and the firmware in the field does not.
// One day an answer has a new field, or lacks an old one.
package apidrift

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "apidrift",
	Title: "Drift of cloud APIs",
	Plain: "The cloud moves on and the firmware in the field does not. One day an answer has a new field, or lacks an old one.",
	Checks: []*check.Check{
		ExtraFields,
		BrokerVersionDrift,
	},
}
