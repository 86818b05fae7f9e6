package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerV5 plays the scenarios of MQTT 5.0.
var BrokerV5 = &check.Check{
	ID:    "protocol.broker-v5",
	Title: "Knows the 27 scenarios of MQTT 5.0",
	Why: "MQTT 5.0 has many features, and clients believe what the broker announces. " +
		"A broker that announces what it does not do loses messages that nobody misses until after launch.",
	Pass:         "all 27 scenarios of the Paho interoperability test for MQTT 5.0 hold, of which optional ones may be not offered",
	Fix:          "see the statement of the standard in the finding; update or configure the broker",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"broker.conf.v5"},
	Sources:      []string{"eclipse/paho.mqtt.testing interoperability/client_test5.py (same scenarios)", "OASIS MQTT 5.0"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Observes,
	Typical:      2 * time.Minute,
	Limit:        15 * time.Minute,
	Run:          func(ctx context.Context, t *check.T) error { return conform(ctx, t, mqtt.V5) },
}
