// Package reference is the product that Shakedown tests when it is given none: a thermostat, with its product file and the defects
// that can be planted in it. The clean product passes every check; each defect is there to be found.
package reference
