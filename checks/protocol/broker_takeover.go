package protocol

import (
	"context"
	"errors"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// BrokerTakeover connects twice with one client id.
var BrokerTakeover = &check.Check{
	ID:    "protocol.broker-takeover",
	Title: "Hands over to the new connection of a client that is connected already",
	Why: "A device that changes from WLAN to mobile connects anew while its old connection still stands. " +
		"If the new one is refused, or both stay, it misses commands until the old one times out.",
	Pass:         "a second CONNECT with the same id is accepted and served, and the first connection is closed within 5 s, in 5.0 with DISCONNECT 0x8E and no other code",
	Fix:          "look up the client id at CONNECT and end the older connection",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"broker.takeover"},
	Sources:      []string{"MQTT-3.1.4-2 (3.1.1), MQTT-3.1.4-3 (5.0)"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      3 * time.Second,
	Limit:        time.Minute,
	Run:          brokerTakeover,
}

// handover is what became of two connections of one client.
type handover struct {
	version     mqtt.Version
	refused     error // of the second connection
	served      error // nil: the second connection works
	closed      bool  // the first connection was
	code        byte  // of its DISCONNECT
	told        bool  // a DISCONNECT came
	first, last int
}

func brokerTakeover(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	h := handover{version: room.Version, first: t.Log.Len()}
	old, err := t.Join(ctx, room, 0)
	if err != nil {
		return err
	}
	t.Step("connect a second time with the client id %q", old.ClientID())
	next, err := room.Join(ctx, 0)
	if err != nil && !errors.Is(err, testbed.ErrRefused) {
		return err
	}
	h.refused = err
	if next != nil {
		h.served = testbed.Echo(ctx, next, room.Topic("echo"))
	}
	_, err = old.AwaitClose(ctx, 5*time.Second)
	h.closed = err == nil
	for _, p := range old.Packets() {
		if p.Type == mqtt.DISCONNECT {
			h.code, h.told = p.Code, true
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.last = t.Log.Len() - 1
	t.Find(judgeTakeover(h)...)
	return nil
}

func judgeTakeover(h handover) []check.Finding {
	f := check.Finding{Evidence: check.Range(h.first, h.last, "the two connections")}
	switch {
	case h.refused != nil:
		f.Title, f.Seen = "Refuses a client that is connected already", h.refused.Error()
	case !h.closed:
		f.Title, f.Seen = "Lets two clients be connected with one id", "the first connection was still open 5 s after the second was accepted"
	case h.served != nil:
		f.Title, f.Seen = "Does not serve the connection that took over", h.served.Error()
	case h.version == mqtt.V5 && (!h.told || h.code != 0x8E):
		f.Title, f.Severity = "Does not tell the old connection that it was taken over", check.Minor
		f.Expected = "DISCONNECT with 0x8E (session taken over) on the old connection [MQTT-3.1.4-3]"
		f.Seen = "it was closed without DISCONNECT"
		if h.told {
			f.Seen = (&mqtt.Packet{Type: mqtt.DISCONNECT, Version: mqtt.V5, Code: h.code}).String()
		}
	default:
		return nil
	}
	return []check.Finding{f}
}
