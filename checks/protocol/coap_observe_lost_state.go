package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapObserveLostState looks at a device that registers again when the server has forgotten it.
var CoapObserveLostState = &check.Check{
	ID:       "protocol.coap-observe-lost-state",
	Title:    "Registers again when the server has forgotten it",
	Why:      "A server restarts, and knows nothing of its observers. A device that trusts its registration for ever misses every change from that day on.",
	Pass:     "within Max-Age of the last notification and 60 s of the restart the device registers again",
	Fix:      "ask for the resource again, with Observe 0, when no notification came within its Max-Age",
	Severity: check.Blocker,
	Rows:     []string{"coap.observe.lost-state"},
	Sources:  []string{"RFC 7641 sections 3.3.1 and 4.5", "eclipse-californium/californium#451"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "settings"}},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    15 * time.Minute,
	Run:      coapObserveLostState,
}

func coapObserveLostState(ctx context.Context, t *check.T) error {
	const age = 20 * time.Second
	path := t.Device.PathOf("settings")
	maxAge := coap.Option{ID: coap.MaxAge, Value: []byte{byte(age.Seconds())}}
	t.CoAP.Set(path, t.Device.Body("settings", 0).Bytes, coap.JSON, maxAge)
	if err := observing(ctx, t); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 5*time.Second); err != nil {
		return err
	}
	t.Step("the server forgets its observers; Max-Age was %.0f s", age.Seconds())
	mark, start := t.Log.Len(), t.Clock.Now()
	t.CoAP.ForgetObservers()
	e, ok, err := t.Device.AwaitMessage(ctx, mark, age+time.Minute, func(_ evidence.Event, m *coap.Message) bool {
		n, is := m.Uint(coap.Observe)
		return m.Code == coap.GET && m.Path() == path && is && n == 0
	})
	if err != nil {
		return err
	}
	if !ok {
		t.Find(check.Finding{Title: "Does not register again with a server that has forgotten it", Seen: fmt.Sprintf("no registration within %s of the restart", age+time.Minute)})
		return nil
	}
	t.MeasureTime("from the restart to the registration", e.At.Sub(start), fmt.Sprintf("<= %.0f s", (age+time.Minute).Seconds()))
	body := t.Device.Body("settings", 0)
	if _, _, err := t.Device.AwaitEvent(ctx, e.N, 10*time.Second, func(evidence.Event) bool { return t.CoAP.Observers(path) > 0 }); err != nil {
		return err
	}
	mark = t.Log.Len()
	t.CoAP.Put(path, body.Bytes, coap.JSON)
	said, ok, err := t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports(), body.Is)
	if err == nil && !ok {
		t.Find(check.Finding{Title: "Does not follow notifications after it registered again", Seen: fmt.Sprintf("it says %q in place of %d", said, body.N)})
	}
	return err
}
