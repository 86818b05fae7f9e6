package protocol

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapObserveAfterBlock looks at a device that takes the notification after one that came in blocks.
var CoapObserveAfterBlock = &check.Check{
	ID:       "protocol.coap-observe-after-block",
	Title:    "Takes the notification after one that came in blocks",
	Why:      "Once the settings grow beyond a block, a device that ends its observation with the transfer rejects the next change, and the server forgets it.",
	Pass:     "after a notification whose body takes more than one block, the next plain notification is acknowledged, never reset, and in force within 30 s",
	Fix:      "keep the token of the observation apart from those of the requests for further blocks",
	Severity: check.Blocker,
	Rows:     []string{"coap.observe.after-block"},
	Sources:  []string{"RFC 7959 section 2.6", "zephyrproject-rtos/zephyr#117034"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "settings"}},
	Impact:   check.Observes,
	Typical:  60 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapObserveAfterBlock,
}

func coapObserveAfterBlock(ctx context.Context, t *check.T) error {
	if err := observing(ctx, t); err != nil {
		return err
	}
	t.Impair(t.CoAP.BlockSize(64))
	path := t.Device.PathOf("settings")
	large := t.Device.Body("settings", 300)
	if len(large.Bytes) <= 64 {
		return check.NotRun("put {fill} into the payload of settings", "the settings cannot be made larger than a block")
	}
	mark := t.Log.Len()
	t.Step("notify it of %d bytes in blocks of 64", len(large.Bytes))
	t.CoAP.Put(path, large.Bytes, coap.JSON)
	said, ok, err := t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports(), large.Is)
	if err != nil {
		return err
	}
	if !ok {
		t.Find(check.Finding{Severity: check.Major, Title: "Does not take a notification that comes in blocks", Seen: fmt.Sprintf("it says %q in place of %d", said, large.N)})
		t.Find(judgeNotified(t.Log.Since(mark))...)
		return nil
	}
	small := t.Device.Body("settings", 0)
	t.Step("notify it of %d bytes", len(small.Bytes))
	mark = t.Log.Len()
	t.CoAP.Put(path, bytes.Clone(small.Bytes), coap.JSON)
	said, ok, err = t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports(), small.Is)
	if err != nil {
		return err
	}
	t.Record("after the plain notification it says %q", said)
	rejected := judgeNotified(t.Log.Since(mark))
	if t.Find(rejected...); !ok && len(rejected) == 0 {
		t.Find(check.Finding{Title: "Does not take the notification after one in blocks", Seen: fmt.Sprintf("it says %q in place of %d", said, small.N)})
	}
	return nil
}
