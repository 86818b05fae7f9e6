package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapObserveBasic looks at a device that follows a resource that it observes.
var CoapObserveBasic = &check.Check{
	ID:       "protocol.coap-observe-basic",
	Title:    "Follows a resource that it observes",
	Why:      "Settings that are changed in the app must reach the device. An observation that is registered but not followed works once, after the start.",
	Pass:     "the device registers; each change sent to it by a CON is acknowledged and in force within 30 s, by a NON too; its own resource, where it can be observed, notifies in rising order and no more after deregistration",
	Fix:      "keep the token of the registration, acknowledge confirmable notifications, and put what they say in force",
	Severity: check.Major,
	Rows:     []string{"coap.observe.basic"},
	Sources:  []string{"RFC 7641 sections 3 and 4", "ETSI TD_COAP_OBS_01 to _10"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "settings"}},
	Impact:   check.Observes,
	Typical:  90 * time.Second,
	Limit:    15 * time.Minute,
	Run:      coapObserveBasic,
}

func coapObserveBasic(ctx context.Context, t *check.T) error {
	if err := observing(ctx, t); err != nil {
		return err
	}
	for _, kind := range []coap.Type{coap.CON, coap.NON, coap.CON} {
		undo := t.CoAP.NotifyBy(kind)
		body := t.Device.Body("settings", 0)
		t.Step("notify it by a %s", kind)
		mark := t.Log.Len()
		t.CoAP.Put(t.Device.PathOf("settings"), body.Bytes, coap.JSON)
		undo()
		said, ok, err := t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports(), body.Is)
		if err != nil {
			return err
		}
		t.Record("notified by a %s of %d: it says %q", kind, body.N, said)
		if !ok {
			t.Find(check.Finding{Title: fmt.Sprintf("Does not follow a notification by a %s", kind), Seen: fmt.Sprintf("%s after it, it says %q in place of %d", t.Device.Reports(), said, body.N)})
		}
		t.Find(judgeNotified(t.Log.Since(mark))...)
	}
	if t.Device.PathOf("resource") == "" {
		return nil
	}
	return observed(ctx, t)
}

// observing starts the device and waits until it has registered for its settings.
func observing(ctx context.Context, t *check.T) error {
	c, err := t.Contact(ctx)
	if err != nil {
		return err
	}
	path := t.Device.PathOf("settings")
	_, ok, err := t.Device.AwaitEvent(ctx, c.Mark, t.Device.ConnectWithin(), func(evidence.Event) bool { return t.CoAP.Observers(path) > 0 })
	if err == nil && !ok {
		return check.NotRun("say under settings: what the device observes", "the device did not register for %s within %s", path, t.Device.ConnectWithin())
	}
	return err
}

// judgeNotified looks at what confirmable notifications were answered with.
func judgeNotified(events []evidence.Event) []check.Finding {
	for i, e := range events {
		sent, ok := origin.Sent(e)
		if !ok || sent.Type != coap.CON || !sent.Code.Response() {
			continue
		}
		for _, later := range events[i:] {
			got, ok := origin.Got(later)
			if ok && got.ID == sent.ID && later.Conn == e.Conn && got.Type == coap.RST {
				return []check.Finding{{Title: "Rejects a notification that it registered for", Seen: "it answered with a reset: " + sent.String()}}
			}
		}
	}
	return nil
}

// observed observes the device's own resource, and ends it.
func observed(ctx context.Context, t *check.T) error {
	peer, err := t.Awake(ctx)
	if err != nil {
		return err
	}
	m := (&coap.Message{Code: coap.GET}).SetPath(t.Device.PathOf("resource")).AddUint(coap.Observe, 0)
	x := peer.Ask(m)
	defer x.End()
	first, err := x.Next(ctx, 20*time.Second)
	if err != nil {
		return ctx.Err()
	}
	last, ok := first.Uint(coap.Observe)
	if !ok {
		t.Record("its resource %s cannot be observed", t.Device.PathOf("resource"))
		return nil
	}
	for range 2 {
		n, err := x.Next(ctx, t.Device.Reports())
		if err != nil {
			return ctx.Err() // nothing changed in that time
		}
		value, ok := n.Uint(coap.Observe)
		if !ok || !coap.Fresher(last, time.Time{}, value, time.Time{}) {
			t.Find(check.Finding{Title: "Notifies in falling order", Seen: fmt.Sprintf("observe value %d after %d", value, last)})
		}
		last = value
	}
	end := (&coap.Message{Code: coap.GET, Token: m.Token}).SetPath(t.Device.PathOf("resource")).AddUint(coap.Observe, 1)
	if _, err := peer.Request(ctx, end, 20*time.Second); err != nil {
		return ctx.Err()
	}
	mark := t.Log.Len()
	if err := t.Clock.Sleep(ctx, t.Device.Reports()*2/3); err != nil {
		return err
	}
	more := 0
	for _, e := range t.Log.Since(mark) {
		if n, ok := origin.Got(e); ok && n.Code.Response() && string(n.Token) == string(m.Token) {
			more++
		}
	}
	if more > 1 { // one may have been on its way
		t.Find(check.Finding{Title: "Goes on notifying an observer that deregistered", Seen: fmt.Sprintf("%d notifications", more)})
	}
	return nil
}
