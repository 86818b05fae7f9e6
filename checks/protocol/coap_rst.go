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

// CoapRst looks at a device that stops what the other side rejected by a reset.
var CoapRst = &check.Check{
	ID:       "protocol.coap-rst",
	Title:    "Stops what the other side rejected by a reset",
	Why:      "A reset says: I do not know what this is about. A device that goes on sending it, or goes on notifying an observer that is gone, talks to the wall until its battery is empty.",
	Pass:     "after a reset of its request no copy of it comes within 20 s, and it reports again later; after a reset of a notification no notification comes within 3 usual intervals",
	Fix:      "end the exchange of a message, and the observation to which a notification belongs, when its reset comes",
	Severity: check.Major,
	Rows:     []string{"coap.rst"},
	Sources:  []string{"RFC 7252 section 4.2", "RFC 7641 section 3.6", "ETSI TD_COAP_OBS_06"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    15 * time.Minute,
	Run:      coapRst,
}

func coapRst(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	t.Step("reset its next request")
	mark := t.Log.Len()
	t.Impair(t.CoAP.When(origin.Rule{Dir: origin.In, Times: 1, Do: origin.Reject(), Match: func(_ *origin.Peer, m *coap.Message) bool {
		return m.Type == coap.CON && m.Code.Request()
	}}))
	sent, ok, err := t.Device.AwaitEvent(ctx, mark, t.Device.Reports(), func(e evidence.Event) bool {
		m, is := origin.Sent(e)
		return is && m.Type == coap.RST
	})
	if err != nil {
		return err
	}
	if !ok {
		return check.NotApplicable("the device sent no confirmable request within %s", t.Device.Reports())
	}
	reset, _ := origin.Sent(sent)
	if err := t.Clock.Sleep(ctx, 20*time.Second); err != nil {
		return err
	}
	copies := 0
	for _, at := range check.Copies(t.Log.Since(sent.N), sent.Conn, reset.ID) {
		if at.Sub(sent.At) > time.Second {
			copies++
		}
	}
	t.Measure("copies after the reset", float64(copies), "", "0")
	if copies > 0 {
		t.Find(check.Finding{Title: "Sends a request again that was reset", Seen: fmt.Sprintf("%d copies within 20 s of the reset", copies)})
	}
	alarm, err := t.Recovers(ctx, t.Log.Len(), t.Device.Cap()+2*time.Minute, "a reset of its request")
	t.Find(alarm...)
	if err != nil || t.Device.PathOf("resource") == "" {
		return err
	}
	return resetNotification(ctx, t)
}

// resetNotification observes the device's own resource, if it lets us, and resets a notification.
func resetNotification(ctx context.Context, t *check.T) error {
	peer, err := t.Awake(ctx)
	if err != nil {
		return err
	}
	x := peer.Ask((&coap.Message{Code: coap.GET}).SetPath(t.Device.PathOf("resource")).AddUint(coap.Observe, 0))
	defer x.End()
	first, err := x.Next(ctx, 20*time.Second)
	if err != nil {
		return ctx.Err()
	}
	if _, ok := first.Get(coap.Observe); !ok {
		t.Record("its resource %s cannot be observed", t.Device.PathOf("resource"))
		return nil
	}
	n, err := x.Next(ctx, t.Device.Reports())
	if err != nil {
		t.Record("no notification of %s within %s", t.Device.PathOf("resource"), t.Device.Reports())
		return ctx.Err()
	}
	t.Step("reset a notification")
	peer.Send(&coap.Message{Type: coap.RST, ID: n.ID})
	mark := t.Log.Len() + 1
	if err := t.Clock.Sleep(ctx, t.Device.Reports()); err != nil {
		return err
	}
	more := 0
	for _, e := range t.Log.Since(mark) {
		if m, ok := origin.Got(e); ok && m.Code.Response() && string(m.Token) == string(n.Token) && m.ID != n.ID {
			more++
		}
	}
	if more > 1 { // one may have been on its way
		t.Find(check.Finding{Title: "Goes on notifying an observer that sent a reset", Seen: fmt.Sprintf("%d notifications within %s of the reset", more, t.Device.Reports())})
	}
	return nil
}
