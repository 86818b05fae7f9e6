// Package journey holds the checks of one risk: user journeys. People set up, share, move, reset and sell products. Each step
// was tested alone; the way through them was not.
package journey

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:     "journey",
	Title:  "User journeys",
	Plain:  "People set up, share, move, reset and sell products. Each step was tested alone; the way through them was not.",
	Checks: []*check.Check{},
}
