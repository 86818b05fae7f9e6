// Package integration holds the checks of one risk: third-party integrations. Voice assistants and home hubs change what they
// accept, and somebody else's release breaks the product.
package integration

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:     "integration",
	Title:  "Third-party integrations",
	Plain:  "Voice assistants and home hubs change what they accept, and somebody else's release breaks the product.",
	Checks: []*check.Check{},
}
