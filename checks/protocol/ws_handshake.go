package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// WsHandshake answers the opening handshake of WebSocket wrongly.
var WsHandshake = &check.Check{
	ID:    "protocol.ws-handshake",
	Title: "Ends a WebSocket whose opening handshake is answered wrongly",
	Why: "A wrong answer is that of a cache, or of a server that speaks something else. A client that goes on sends its CONNECT, with its " +
		"password in it, to whatever is there.",
	Pass: "no CONNECT comes on a connection whose Sec-WebSocket-Accept belongs to another handshake, or whose subprotocol is chat " +
		"(none at all: minor); it connects when the handshake is right again",
	Fix:      "compare Sec-WebSocket-Accept with the SHA-1 of your own key (RFC 6455 section 4.1), and Sec-WebSocket-Protocol with mqtt",
	Severity: check.Major,
	Rows:     []string{"ws.handshake"},
	Sources:  []string{"RFC 6455 section 4.1", "MQTT-6.0.0-3", "MQTT-6.0.0-4"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.WS},
	Impact:   check.Disturbs,
	Typical:  time.Minute,
	Limit:    time.Hour,
	Run:      wsHandshake,
}

func wsHandshake(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	for _, c := range []struct {
		name     string
		severity check.Severity
		begin    func() (undo func())
	}{
		{"a Sec-WebSocket-Accept that belongs to another handshake", check.Major, t.Gate.WrongAccept},
		{"the subprotocol chat, which was not offered", check.Major, func() func() { return t.Gate.Choose("chat") }},
		{"no subprotocol", check.Minor, func() func() { return t.Gate.Choose("") }},
	} {
		t.Step("answer the opening handshake with %s", c.name)
		heal := t.Impair(c.begin())
		if err := t.Device.Fresh(ctx); err != nil {
			return err
		}
		f, err := t.Device.Face(ctx, testbed.Facing{Heal: func() { heal(); t.Link.Cut(false) }, Attempts: 2, Within: 40 * time.Second})
		if err != nil {
			return check.Offline(err)
		}
		t.Find(judgeHandshake(f, c.name, c.severity)...)
	}
	return nil
}

func judgeHandshake(f testbed.Faced, answer string, s check.Severity) []check.Finding {
	for _, a := range f.Attempts {
		if a.Connect == nil {
			continue
		}
		return []check.Finding{{
			Severity: s, Title: "Goes on after a handshake with " + answer, Expected: "it ends the connection without a byte of MQTT",
			Seen: fmt.Sprintf("on connection %d came %s", a.Conn, a.Connect), Evidence: check.Range(a.First, a.Last, "the connection"),
		}}
	}
	return nil
}
