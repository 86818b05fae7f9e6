package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapMalformed looks at a device that rejects what is no CoAP message, and lives on.
var CoapMalformed = &check.Check{
	ID:       "protocol.coap-malformed",
	Title:    "Rejects what is no CoAP message, and lives on",
	Why:      "Anyone can send a datagram to a device. One that crashes at a wrong length has a hole, and it will be found.",
	Pass:     "a confirmable message with a format error is rejected by a reset, one of another version and a non-confirmable one are ignored; it never carries one out, and works on after each",
	Fix:      "check version, token length, option lengths and the payload marker before anything is done with a message",
	Severity: check.Blocker,
	Rows:     []string{"coap.malformed"},
	Sources:  []string{"RFC 7252 sections 3, 3.1, 4.2 and 4.3"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    20 * time.Minute,
	Run:      coapMalformed,
}

func coapMalformed(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	peer, err := t.Awake(ctx)
	if err != nil {
		return err
	}
	answersPings, err := pinged(ctx, t, peer)
	if err != nil {
		return err
	}
	path := t.Device.PathOf("resource")
	if path == "" {
		path = "/.well-known/core"
	}
	for _, w := range coap.Illegal() {
		for _, kind := range []coap.Type{coap.CON, coap.NON} {
			m := (&coap.Message{Type: kind, Code: coap.GET, ID: peer.NextID(), Token: peer.NewToken()}).SetPath(path)
			mark := t.Log.Len()
			t.Step("send %s: %s", kind, w.Name)
			peer.SendRaw(w.Spoil(m), kind.String()+" malformed: "+w.Name)
			alive, err := worksOn(ctx, t, peer, mark, answersPings, kind.String()+" with "+w.Name)
			if err != nil {
				return err
			}
			t.Find(alive...)
			t.Find(judgeRejected(w, m, t.Log.Since(mark))...)
			if len(alive) > 0 {
				return nil // one is enough: it is not the same device any more
			}
		}
	}
	return nil
}

// worksOn judges whether the device works after something was sent to it: by a ping, where it answers those, else by its next request.
func worksOn(ctx context.Context, t *check.T, peer *origin.Peer, mark int, pings bool, after string) ([]check.Finding, error) {
	if pings {
		if ok, err := pinged(ctx, t, peer); ok || err != nil {
			return nil, err
		}
	}
	return t.Recovers(ctx, mark+1, t.Device.Reports()+t.Device.ConnectWithin(), after)
}

func judgeRejected(w coap.Wrong, m *coap.Message, events []evidence.Event) []check.Finding {
	reset := false
	for _, e := range events {
		got, ok := origin.Got(e)
		switch {
		case !ok:
		case got.Code.Response() && (string(got.Token) == string(m.Token) || got.Type == coap.ACK && got.ID == m.ID) && got.Code.Class() == 2:
			return []check.Finding{{Title: "Carries out a message that is none: " + w.Name, Expected: "it is rejected [" + w.Section + "]", Seen: got.String()}}
		case got.ID == m.ID && got.Type == coap.RST:
			reset = true
		}
	}
	switch {
	case reset && w.Ignored:
		return []check.Finding{{Severity: check.Minor, Title: "Answers a message of another version", Expected: "it is ignored [" + w.Section + "]", Seen: w.Name + " was reset"}}
	case !reset && !w.Ignored && m.Type == coap.CON:
		return []check.Finding{{Severity: check.Minor, Title: "Does not reject a malformed message: " + w.Name, Expected: "a reset [" + w.Section + "]", Seen: "no reset"}}
	}
	return nil
}
