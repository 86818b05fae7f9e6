package protocol

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// early is how long CONNACK is held back.
const early = 3 * time.Second

// ConnectNothingEarly holds CONNACK back and looks at what comes before it.
var ConnectNothingEarly = &check.Check{
	ID:    "protocol.connect-nothing-early",
	Title: "Sends nothing before the broker has accepted it",
	Why: "What a client sends before CONNACK is lost when it is refused, and some brokers close the connection because of it. " +
		"A device that counts such a message as delivered loses it without a trace.",
	Pass: "no packet in the 3 s between CONNECT and CONNACK; with an authentication method (5.0) AUTH and DISCONNECT only, which is a " +
		"duty, while without one early packets are legal and told for information",
	Fix:      "send the first packet from the handler of CONNACK",
	Severity: check.Minor,
	Rows:     []string{"mqtt.connect.nothing-early"},
	Sources: []string{
		"MQTT-3.1.2-30 (5.0)", "section 3.1.4 of both versions, non-normative: clients need not wait for CONNACK",
		"Zephyr, test suite of the MQTT client (stricter: early packets fail)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 8 * time.Second,
	Limit:   5 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		t.Step("hold CONNACK back for %.0f s", early.Seconds())
		t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.CONNACK, Do: broker.DelayInOrder(early)}))
		s, err := t.Online(ctx)
		if err != nil {
			return err
		}
		t.Find(judgeEarly(t.Log.Since(0), s)...)
		return nil
	},
}

// judgeEarly looks at what came on the session's connection before the CONNACK.
func judgeEarly(events []evidence.Event, s *testbed.Session) []check.Finding {
	authenticates := s.Connect.Props.Has(mqtt.AuthMethod)
	var types []string
	first, last := 0, 0
	for _, e := range events[:s.Mark] {
		p, ok := e.Data.(*mqtt.Packet)
		if !ok || e.Kind != evidence.In || e.Conn != s.Conn.Number() || p.Type == mqtt.CONNECT || p.Type == mqtt.AUTH || p.Type == mqtt.DISCONNECT {
			continue
		}
		if len(types) == 0 {
			first = e.N
		}
		last = e.N
		if !slices.Contains(types, p.Type.String()) {
			types = append(types, p.Type.String())
		}
	}
	if len(types) == 0 {
		return nil
	}
	f := check.Finding{
		Severity: check.Info,
		Title:    "Sends " + strings.Join(types, ", ") + " before CONNACK",
		Expected: "nothing between CONNECT and CONNACK",
		Seen:     fmt.Sprintf("%s while CONNACK was held back for %.0f s; legal, but lost when it is refused", strings.Join(types, ", "), early.Seconds()),
		Evidence: check.Range(first, last, "the packets before CONNACK"),
	}
	if authenticates {
		f.Severity = check.Minor
		f.Expected = "AUTH and DISCONNECT only, because CONNECT names an authentication method [MQTT-3.1.2-30]"
	}
	return []check.Finding{f}
}
