package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapObserveReorder looks at a device that does not go back to an older notification that comes late.
var CoapObserveReorder = &check.Check{
	ID:       "protocol.coap-observe-reorder",
	Title:    "Does not go back to an older notification that comes late",
	Why:      "Datagrams overtake each other. A device that takes what comes last for the newest goes back to the settings before.",
	Pass:     "a notification with an older observe value (24 bits) that comes within 128 s of a newer one is never put in force",
	Fix:      "compare the observe value of each notification with that of the last as RFC 7641 section 3.4 says",
	Severity: check.Major,
	Rows:     []string{"coap.observe.reorder"},
	Sources:  []string{"RFC 7641 section 3.4"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "settings"}},
	Impact:   check.Disturbs,
	Typical:  60 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapObserveReorder,
}

func coapObserveReorder(ctx context.Context, t *check.T) error {
	if err := observing(ctx, t); err != nil {
		return err
	}
	path := t.Device.PathOf("settings")
	older, newer := t.Device.Body("settings", 0), t.Device.Body("settings", 0)
	t.Impair(t.CoAP.NotifyBy(coap.NON))
	t.CoAP.Set(path, older.Bytes, coap.JSON)
	late := t.CoAP.Notifications(path)
	mark := t.Log.Len()
	t.CoAP.Put(path, newer.Bytes, coap.JSON)
	said, ok, err := t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports(), newer.Is)
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("protocol.coap-observe-basic says more", "the device does not follow notifications: it says %q in place of %d", said, newer.N)
	}
	t.Step("send the notification before, late")
	mark = t.Log.Len()
	for _, n := range late {
		n.Send()
	}
	said, back, err := t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports()*2/3, older.Is)
	if err != nil {
		return err
	}
	t.Record("after the late notification it says %q", said)
	switch {
	case back:
		t.Find(check.Finding{Title: "Goes back to an older notification that comes late", Seen: fmt.Sprintf("it says %d again after %d", older.N, newer.N)})
	case said == "":
		return check.NotRun("a device that reports more often can be judged", "no measurement came after the late notification")
	}
	return nil
}
