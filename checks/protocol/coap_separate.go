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

// CoapSeparate looks at a device that waits for a response that comes apart from its acknowledgement.
var CoapSeparate = &check.Check{
	ID:       "protocol.coap-separate",
	Title:    "Waits for a response that comes apart from its acknowledgement",
	Why:      "A server that has to ask elsewhere acknowledges at once and answers later. A device that takes the acknowledgement for the end never learns the answer, or asks again and again.",
	Pass:     "after an empty acknowledgement the request is not sent again, and the response that comes 30 s later in a message of its own is acknowledged, never reset",
	Fix:      "keep the token of a request until its response came, also after an empty acknowledgement",
	Severity: check.Major,
	Rows:     []string{"coap.separate"},
	Sources:  []string{"RFC 7252 section 5.2.2", "ETSI TD_COAP_CORE_09, _11 and _17"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapSeparate,
}

func coapSeparate(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	t.Step("acknowledge the next request, and answer it 30 s later")
	mark := t.Log.Len()
	t.Impair(t.CoAP.When(origin.Rule{Dir: origin.Out, Times: 1, Do: origin.Separate(30 * time.Second), Match: func(_ *origin.Peer, m *coap.Message) bool {
		return m.Type == coap.ACK && m.Code.Response()
	}}))
	empty, ok, err := t.Device.AwaitEvent(ctx, mark, t.Device.Reports(), func(e evidence.Event) bool {
		m, is := origin.Sent(e)
		return is && m.Type == coap.ACK && m.Code == coap.Empty
	})
	if err != nil {
		return err
	}
	if !ok {
		return check.NotApplicable("the device sent no confirmable request within %s", t.Device.Reports())
	}
	ack, _ := origin.Sent(empty)
	late, ok, err := t.Device.AwaitEvent(ctx, empty.N, 40*time.Second, func(e evidence.Event) bool {
		m, is := origin.Sent(e)
		return is && m.Type == coap.CON && m.Code.Response()
	})
	if err != nil || !ok {
		return err
	}
	response, _ := origin.Sent(late)
	answer, ok, err := t.Device.AwaitMessage(ctx, late.N, 20*time.Second, func(_ evidence.Event, m *coap.Message) bool {
		return m.ID == response.ID && (m.Type == coap.ACK || m.Type == coap.RST)
	})
	if err != nil {
		return err
	}
	if m, _ := origin.Got(answer); !ok {
		t.Find(check.Finding{Title: "Ignores a response that comes apart from its acknowledgement", Seen: "neither an acknowledgement nor a reset within 20 s"})
	} else if m.Type == coap.RST {
		t.Find(check.Finding{Title: "Rejects a response that comes apart from its acknowledgement", Seen: "it answered with a reset"})
	} else {
		t.MeasureTime("to the acknowledgement of the response", answer.At.Sub(late.At), "")
	}
	copies := 0
	for _, at := range check.Copies(t.Log.Since(empty.N), empty.Conn, ack.ID) {
		if at.Sub(empty.At) > time.Second {
			copies++
		}
	}
	if copies > 0 {
		t.Find(check.Finding{Title: "Sends an acknowledged request again", Seen: fmt.Sprintf("%d copies after the empty acknowledgement", copies)})
	}
	alarm, err := t.Recovers(ctx, late.N, t.Device.Cap()+2*time.Minute, "a late response")
	t.Find(alarm...)
	return err
}
