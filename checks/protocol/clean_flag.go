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

// CleanFlag reads from CONNECT what becomes of commands to a device that is asleep.
var CleanFlag = &check.Check{
	ID:    "protocol.clean-flag",
	Title: "Has its commands kept while it sleeps",
	Why: "A command to a device that sleeps is lost when nobody keeps it: the app says sent, and nothing happens. " +
		"Whether the broker keeps it is decided by one flag in CONNECT.",
	Pass:         "a device that is declared to sleep connects with clean session 0 (in 5.0: clean start 0 and a session expiry above 0), or asks for its desired state within 10 s of connecting",
	Fix:          "connect with clean session 0 and a session expiry longer than the sleep, or read the desired state (a shadow, a twin) after every connect",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"mqtt.session.clean-flag"},
	Sources:      []string{"MQTT-3.1.2-5 (3.1.1)", "MQTT 5.0 section 3.1.2.11.2", "github.com/eclipse/paho.mqtt.cpp issue 171"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"sleeps"}},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        5 * time.Minute,
	Run:          cleanFlag,
}

func cleanFlag(ctx context.Context, t *check.T) error {
	t.Step("read how long the device wants its session kept")
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if _, err := check.Subscriptions(s); err != nil {
		return err
	}
	info, _ := t.Broker.Session(s.Conn.ClientID())
	clean := s.Connect.Connect.Clean
	if !clean && info.Expiry > 0 {
		t.Record("its session outlives the connection")
		return nil
	}
	asked, err := asksForState(ctx, t, s)
	if err != nil {
		return err
	}
	t.Find(judgeCleanFlag(clean, info.Expiry, asked, s.Mark)...)
	return nil
}

// asksForState looks for 10 s of the session whether the device reads its desired state, and returns the topic on which it does.
func asksForState(ctx context.Context, t *check.T, s *testbed.Session) (topic string, err error) {
	e, ok, err := t.Device.AwaitPacket(ctx, s.Mark, 10*time.Second, func(e evidence.Event, p *mqtt.Packet) bool {
		return e.Conn == s.Conn.Number() && p.Type == mqtt.PUBLISH && readsState(p.Topic)
	})
	if p, got := broker.Got(e, mqtt.PUBLISH); ok && got {
		return p.Topic, err
	}
	return "", err
}

// readsState reports whether a message on topic asks a cloud for the desired state, as the shadows of AWS, the twins of Azure and the
// attributes of ThingsBoard are read.
func readsState(topic string) bool {
	levels := strings.Split(strings.ToLower(topic), "/")
	return slices.Contains(levels, "get") || slices.Contains(levels, "request")
}

func judgeCleanFlag(clean bool, expiry time.Duration, asked string, mark int) []check.Finding {
	if !clean && expiry > 0 || asked != "" {
		return nil
	}
	seen := "it connects with clean session, so the broker keeps nothing for it"
	if !clean {
		seen = fmt.Sprintf("its session expiry is %.0f s, so the broker keeps nothing for it", expiry.Seconds())
	}
	return []check.Finding{{
		Title:    "Loses every command that comes while it sleeps",
		Expected: "a session that outlives the connection, or a request for the desired state after connecting",
		Seen:     seen + ", and it did not ask for a desired state within 10 s",
		Evidence: check.Range(max(0, mark-1), mark, "its CONNECT, and the answer"),
	}}
}
