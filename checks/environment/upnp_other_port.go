package environment

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// UpnpOtherPort has the router map another port than the device asks for.
var UpnpOtherPort = &check.Check{
	ID:    "environment.upnp-other-port",
	Title: "Goes by the port that its router gave, not by the one it asked for",
	Why: "Routers give another port when the one that is asked for is taken, and some do not say so. " +
		"A device that goes by its wish tells its users a port that leads nowhere, and leaves the real one open for ever.",
	Pass:         "with a router that maps the port 1000 above the one asked for, and says so, a declared port is open within 30 s of being switched on, and none within 30 s of being switched off",
	Fix:          "take NewReservedPort from the answer to AddAnyPortMapping; after AddPortMapping look with GetSpecificPortMappingEntry",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2j", "EN303645:5.6-1"},
	Rows:         []string{"net.upnp"},
	Sources:      []string{"UPnP WANIPConnection:2, section 2.5.17"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"upnp", "command"}, World: true},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return onAndOff(ctx, t, upnp.Behaviour{Shift: 1000}, " of a router that gives another one than was asked for")
	},
}
