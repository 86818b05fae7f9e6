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

// CoapNstart looks at a device that has one request outstanding at a time.
var CoapNstart = &check.Check{
	ID:       "protocol.coap-nstart",
	Title:    "Has one request outstanding at a time",
	Why:      "A server that slows down is not helped by a device that sends all it has at once. On a narrow radio link those requests push each other out.",
	Pass:     "never more than 1 confirmable request of the device waits for its acknowledgement (NSTART)",
	Fix:      "queue requests in the device, and send the next when the one before was answered",
	Severity: check.Minor,
	Rows:     []string{"coap.nstart"},
	Sources:  []string{"RFC 7252 section 4.7"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP},
	Impact:   check.Disturbs,
	Typical:  40 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapNstart,
}

func coapNstart(ctx context.Context, t *check.T) error {
	mark := t.Log.Len()
	slow := t.Impair(t.CoAP.When(origin.Rule{Dir: origin.In, Do: origin.Delay(1500 * time.Millisecond)}))
	t.Step("start it beside a server that takes 1.5 s for everything")
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 10*time.Second); err != nil {
		return err
	}
	t.Step("answer nothing for %s", t.Device.Reports()*2/3)
	silent := t.Impair(t.CoAP.When(origin.Rule{Dir: origin.In, Do: origin.Drop()}))
	slow()
	if err := t.Clock.Sleep(ctx, t.Device.Reports()*2/3); err != nil {
		return err
	}
	most, requests := outstanding(t.Log.Since(mark))
	silent()
	if requests < 2 {
		return check.NotRun("a device that sends more often can be judged", "the device sent %d requests", requests)
	}
	t.Measure("requests outstanding at once", float64(most), "", "<= 1")
	if most > 1 {
		t.Find(check.Finding{Title: "Sends requests before the one before was acknowledged", Seen: fmt.Sprintf("%d confirmable requests were outstanding at once", most)})
	}
	return nil
}

// outstanding is how many confirmable requests from one port were not acknowledged at the same time, at most, and how many there were
// from all.
func outstanding(events []evidence.Event) (most, requests int) {
	open := map[int]map[uint16]bool{}
	for _, e := range events {
		if open[e.Conn] == nil {
			open[e.Conn] = map[uint16]bool{}
		}
		if m, ok := origin.Got(e); ok && m.Type == coap.CON && m.Code.Request() && !open[e.Conn][m.ID] {
			open[e.Conn][m.ID] = true
			requests++
			most = max(most, len(open[e.Conn]))
		}
		if m, ok := origin.Sent(e); ok && (m.Type == coap.ACK || m.Type == coap.RST) {
			delete(open[e.Conn], m.ID)
		}
	}
	return most, requests
}
