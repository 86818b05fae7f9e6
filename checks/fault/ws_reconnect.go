package fault

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/broker"
)

// WsReconnect cuts WebSocket sessions without a close frame, again and again.
var WsReconnect = &check.Check{
	ID:    "fault.ws-reconnect",
	Title: "Backs off and subscribes again when its WebSocket is cut",
	Why: "Load balancers and proxies cut WebSockets without a close frame, most of all when they are updated. Libraries that connect again " +
		"by themselves often do so at once, and forget the subscriptions.",
	Pass: "while sessions are reset right after CONNACK: pauses that at least double from the first third to the last over 5 retries, differ by chance, " +
		"and make at most 20 retries in 60 s; back within twice the declared reconnect_cap of the healing, with every subscription within 10 s (blocker)",
	Fix:          "count a session that lasted less than half a minute as a failed attempt; subscribe in the handler of CONNACK",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-3"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"ws.reconnect"},
	Sources:      []string{"RFC 6455 section 7.2.3", "github.com/hideakitai/MQTTPubSubClient issue 38"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.WS},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        45 * time.Minute,
	Run:          wsReconnect,
}

func wsReconnect(ctx context.Context, t *check.T) error {
	var had []string
	err := outage{
		during: "while its WebSocket is cut after CONNACK", running: true, begin: afterConnack(broker.ThenReset()),
		strike: func(_ *check.T, s *testbed.Session) {
			had = testbed.Filters(s.Conn.Subscriptions())
			s.Conn.Reset()
		},
	}.run(ctx, t)
	if err != nil || len(had) == 0 {
		return err
	}
	conns := t.Broker.Conns()
	if len(conns) == 0 {
		return check.NotRun("see in the evidence how its last session ended", "it was back, and gone again before its subscriptions could be looked at")
	}
	s := &testbed.Session{Conn: conns[0], Since: t.Clock.Now()}
	missing, _, err := t.Device.AwaitFilters(ctx, s, had, 10*time.Second+t.Clock.Device(250*time.Millisecond))
	if err != nil {
		return err
	}
	t.Find(judgeFilters(missing, had)...)
	return nil
}

func judgeFilters(missing, had []string) []check.Finding {
	if len(missing) == 0 {
		return nil
	}
	return []check.Finding{{
		Title: "Does not subscribe again after its WebSocket was cut", Expected: fmt.Sprintf("all %d subscriptions that it had, within 10 s", len(had)),
		Seen: "missing: " + strings.Join(missing, ", "),
	}}
}
