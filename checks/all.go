// Package checks joins the twelve risks into which every check falls, with the registers that checks refer to: requirements of
// regulations, incidents from the field, and the rows of the catalogue.
package checks

import (
	"slices"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks/apidrift"
	"github.com/shakedown-test/shakedown/checks/environment"
	"github.com/shakedown-test/shakedown/checks/expiry"
	"github.com/shakedown-test/shakedown/checks/fault"
	"github.com/shakedown-test/shakedown/checks/integration"
	"github.com/shakedown-test/shakedown/checks/journey"
	"github.com/shakedown-test/shakedown/checks/load"
	"github.com/shakedown-test/shakedown/checks/mobileos"
	"github.com/shakedown-test/shakedown/checks/ota"
	"github.com/shakedown-test/shakedown/checks/protocol"
	"github.com/shakedown-test/shakedown/checks/security"
	"github.com/shakedown-test/shakedown/checks/telemetry"
)

// All returns the twelve risks with their checks, in the order in which reports show them. The slice is the caller's to extend.
func All() []check.Risk {
	return slices.Clone([]check.Risk{
		protocol.Risk,
		environment.Risk,
		ota.Risk,
		security.Risk,
		fault.Risk,
		load.Risk,
		journey.Risk,
		expiry.Risk,
		apidrift.Risk,
		mobileos.Risk,
		telemetry.Risk,
		integration.Risk,
	})
}
