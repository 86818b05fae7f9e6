package environment

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// NatForgets has the router forget every connection.
var NatForgets = &check.Check{
	ID:    "environment.nat-forgets",
	Title: "Comes back when its router has forgotten its connection",
	Why: "Home routers forget connections: after some idle minutes, when their table is full, or when they restart. " +
		"They tell nobody. A device that waits for its cloud to speak waits for ever, and looks offline in every app.",
	Pass:         "it begins another connection within 1.5 times its keep-alive and 5 s after its router forgot the old one, and is online within twice its reconnect cap and 10 s more",
	Fix:          "close a connection on which a ping is not answered within half of the keep-alive; keep the keep-alive below 5 minutes",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"net.nat.tcp"},
	Sources:      []string{"RFC 5382, REQ-5", "Haetoenen et al., An experimental study of home gateway characteristics (2010)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run: func(ctx context.Context, t *check.T) error {
		return forgotten(ctx, t, "its router forgot its connection", t.World.Home().Router.Forget)
	},
}
