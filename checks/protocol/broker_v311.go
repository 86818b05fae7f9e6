package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerV311 plays the scenarios of MQTT 3.1.1.
var BrokerV311 = &check.Check{
	ID:    "protocol.broker-v311",
	Title: "Knows the ten scenarios of MQTT 3.1.1",
	Why: "Devices in the field are built against brokers that follow the standard. " +
		"Where this one does not, some library or some device will fail after launch.",
	Pass:         "all ten scenarios of the Paho interoperability test for MQTT 3.1.1 hold, of which optional ones may be not offered",
	Fix:          "see the statement of the standard in the finding; update or configure the broker",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.13-1B"},
	Rows:         []string{"broker.conf.v311"},
	Sources:      []string{"eclipse/paho.mqtt.testing interoperability/client_test.py (same scenarios)", "OASIS MQTT 3.1.1"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Version: "3.1.1"},
	Impact:       check.Observes,
	Typical:      60 * time.Second,
	Limit:        10 * time.Minute,
	Run:          func(ctx context.Context, t *check.T) error { return conform(ctx, t, mqtt.V311) },
}
