package fault

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

// CoapOverload looks at a device that waits as long as an overloaded server asks it to.
var CoapOverload = &check.Check{
	ID:       "fault.coap-overload",
	Title:    "Waits as long as an overloaded server asks it to",
	Why:      "A server that is overloaded says when to come again. When devices do not wait, it stays overloaded.",
	Pass:     "after 5.03 with Max-Age no request to that resource comes before 0.9 times Max-Age, and the device reports again within its reconnect cap and twice its usual interval after",
	Fix:      "take Max-Age of a 5.03 (60 s without one) as the time of the next attempt",
	Severity: check.Major,
	Rows:     []string{"coap.overload"},
	Sources:  []string{"RFC 7252 section 5.9.3.4"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry"}},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    15 * time.Minute,
	Run:      coapOverload,
}

func coapOverload(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	path, age := t.Device.PathOf("telemetry"), t.Device.Reports()*4/3
	t.Step("answer 5.03 with Max-Age %.0f s", age.Seconds())
	mark := t.Log.Len()
	ids := map[uint16]bool{}
	t.Impair(t.CoAP.When(origin.Rule{Dir: origin.In, Match: func(_ *origin.Peer, m *coap.Message) bool {
		if m.Code.Request() && m.Path() == path {
			ids[m.ID] = true
		}
		return false
	}}))
	heal := t.Impair(t.CoAP.When(origin.Rule{
		Dir: origin.Out, Match: func(_ *origin.Peer, m *coap.Message) bool { return m.Type == coap.ACK && ids[m.ID] },
		Do: origin.Change(func(m *coap.Message) {
			m.Code, m.Payload, m.Options = coap.ServiceUnavailable, nil, nil
			m.AddUint(coap.MaxAge, uint32(age.Seconds()))
		}),
	}))
	busy, ok, err := t.Device.AwaitEvent(ctx, mark, t.Device.Reports(), func(e evidence.Event) bool {
		m, is := origin.Sent(e)
		return is && m.Code == coap.ServiceUnavailable
	})
	if err != nil {
		return err
	}
	if !ok {
		return check.NotApplicable("the device sent no confirmable request to %s within %s", path, t.Device.Reports())
	}
	refused, _ := origin.Sent(busy)
	next, ok, err := t.Device.AwaitMessage(ctx, busy.N, age+t.Device.Cap()+t.Device.Reports(), func(_ evidence.Event, m *coap.Message) bool {
		return m.Code.Request() && m.Path() == path && m.ID != refused.ID
	})
	if err != nil {
		return err
	}
	heal()
	switch waited := next.At.Sub(busy.At); {
	case !ok:
		t.Find(check.Finding{Severity: check.Blocker, Title: "Does not come back after 5.03", Seen: fmt.Sprintf("no request within %s", age+t.Device.Cap()+t.Device.Reports())})
	default:
		t.MeasureTime("from 5.03 to the next request", waited, fmt.Sprintf(">= %.0f s", age.Seconds()))
		if waited < age*9/10 {
			t.Find(check.Finding{Title: "Asks an overloaded server again too early", Seen: fmt.Sprintf("%.1f s after 5.03 with Max-Age %.0f s", waited.Seconds(), age.Seconds())})
		}
	}
	return nil
}
