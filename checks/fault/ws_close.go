package fault

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/wire/ws"
	"github.com/shakedown-test/shakedown/world/broker"
)

// closeCodes are those with which a server asks for distance.
var closeCodes = []uint16{ws.GoingAway, ws.Policy, ws.Restart, ws.TryLater}

// WsClose closes sessions with the codes that ask for distance.
var WsClose = &check.Check{
	ID:    "fault.ws-close",
	Title: "Backs off when its WebSocket is closed with a reason",
	Why: "1001, 1008, 1012 and 1013 are how a server says that it goes down, refuses, restarts or is overloaded. A fleet that connects " +
		"again at once keeps it from ever coming up.",
	Pass: "pauses that at least double from the first third to the last over 5 retries (3 when they take a minute), differ by chance " +
		"from an exact doubling, and make at most 20 retries in 60 s; back within twice the declared reconnect_cap of the healing",
	Fix:          "treat a close frame after CONNACK as a failed attempt; wait 30 s or more after 1008 and 1013",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"ws.close"},
	Sources:      []string{"RFC 6455 sections 7.2.3 and 7.4.1", "IANA registry of WebSocket close codes: 1012, 1013"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.WS},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while its WebSocket is closed with 1001, 1008, 1012 and 1013 in turn", running: true,
			begin:  closedWith(closeCodes...),
			strike: func(t *check.T, s *testbed.Session) { t.Gate.Close(s.Conn.Number(), ws.GoingAway, "") },
		}.run(ctx, t)
	},
}

// closedWith makes a world in which sessions are accepted and then closed with the codes in turn.
func closedWith(codes ...uint16) func(*check.T) (func(), error) {
	return func(t *check.T) (func(), error) {
		var n atomic.Int32
		return t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.CONNACK, Match: accepting, Do: broker.Then(func(c *broker.Conn) {
			code := codes[int(n.Add(1)-1)%len(codes)]
			t.Clock.AfterFunc(0, func() { t.Gate.Close(c.Number(), code, "") }) // the rule must not wait for the connection
		})}), nil
	}
}
