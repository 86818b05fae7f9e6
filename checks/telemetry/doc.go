// Package telemetry holds the checks of one risk: telemetry integrity. Readings are lost, doubled, reordered, stamped with the
// wrong time or turned into zeros between the sensor and the last consumer.
package telemetry

import "github.com/shakedown-test/shakedown/check"

// Risk is this risk with its checks.
var Risk = check.Risk{
	ID:    "telemetry",
	Title: "Telemetry integrity",
	Plain: "Readings are lost, doubled, reordered, stamped with the wrong time or turned into zeros between the sensor and the last consumer.",
	Checks: []*check.Check{
		PublishRate,
		OfflineBuffer,
		PubackMissing,
		PubackLate,
		AcknowledgedKept,
		NoDuplicates,
		OrderUnderLoad,
	},
}
