package environment

import (
	"context"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// NatAddress gives the router another public address.
var NatAddress = &check.Check{
	ID:    "environment.nat-address",
	Title: "Comes back when the public address of its home changes",
	Why: "Many providers give a home another address every night. " +
		"What is sent on the old connections is lost from then on, in both directions and without a word.",
	Pass:         "it begins another connection within 1.5 times its keep-alive and 5 s of the change, and is online within twice its reconnect cap and 10 s more",
	Fix:          "close a connection on which a ping is not answered within half of the keep-alive",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Rows:         []string{"net.nat.port-change"},
	Sources:      []string{"RFC 6269 section 9 (large-scale NAT)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        2 * time.Hour,
	Run: func(ctx context.Context, t *check.T) error {
		return forgotten(ctx, t, "its public address changed", func() {
			home := t.World.Home()
			was := home.Router.WAN()
			t.World.Readdress(home, anotherWAN)
			t.Undo(func() { t.World.Readdress(home, was) })
		})
	},
}

// anotherWAN is a public address that no router of a world has.
var anotherWAN = netip.MustParseAddr("198.51.100.222")
