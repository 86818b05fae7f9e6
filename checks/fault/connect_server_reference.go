package fault

import (
	"context"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ConnectServerReference refuses every CONNECT with a reference to another server, which is the same one again.
var ConnectServerReference = &check.Check{
	ID:    "fault.connect-server-reference",
	Title: "Follows a server reference without running in circles",
	Why: "A broker that moves its clients tells them where to. When two of them name each other by mistake, clients that " +
		"follow at once and for ever take both down.",
	Pass: "pauses as in every other outage, also when each refusal (0x9C or 0x9D) names a server to go to: at most 20 retries " +
		"in 60 s, growing; back within twice the declared reconnect_cap (5 min when none is declared) of the healing",
	Fix:          "follow at most a few references in a row, only to hosts of your own domain, and wait as after any failure",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.connect.server-ref"},
	Sources:      []string{"MQTT 5.0 section 4.11", "MQTT 5.0 section 3.2.2.3.16"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      40 * time.Second,
	Limit:        45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while every CONNACK refers it to the same server", running: true,
			begin: onConnect(referToSelf),
		}.run(ctx, t)
	},
}

// referToSelf refuses with a reference to the host name and port that the device is configured with, so that it can be followed.
func referToSelf(t *check.T, n int, ex *broker.Exchange) {
	_, port, err := net.SplitHostPort(t.Link.Addr().String())
	if err != nil {
		return // an address of the link's always splits
	}
	code := byte(0x9C) // use another server
	if n%2 == 0 {
		code = 0x9D // server moved
	}
	ex.Answer(&mqtt.Packet{Type: mqtt.CONNACK, Code: code, Props: mqtt.Properties{
		{ID: mqtt.ServerReference, Text: net.JoinHostPort(t.Device.Part.Host, port)},
	}})
	ex.ThenClose()
}
