package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapBlockGet looks at a device that puts a body together from blocks of every size.
var CoapBlockGet = &check.Check{
	ID:       "protocol.coap-block-get",
	Title:    "Puts a body together from blocks of every size",
	Why:      "A configuration that does not fit a datagram comes in blocks, and the server decides how large they are. A device that has met one size only fails with the next server.",
	Pass:     "a body of more than 6 blocks is taken whole with blocks of 16, 64 and 1024 bytes, where the device does not ask for smaller ones: the CRC or word that it says is that of the body",
	Fix:      "take the block size from each response, and compute the next number from the bytes received",
	Severity: check.Major,
	Rows:     []string{"coap.block.get-put"},
	Sources:  []string{"RFC 7959 section 2.4", "ETSI TD_COAP_BLOCK_01 and _02"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "config"}, Can: []product.Capability{product.Restart}},
	Impact:   check.Restarts,
	Typical:  90 * time.Second,
	Limit:    20 * time.Minute,
	Run:      coapBlockGet,
}

func coapBlockGet(ctx context.Context, t *check.T) error {
	for _, size := range []int{16, 64, 1024} {
		t.Impair(t.CoAP.BlockSize(size))
		length := min(7*size, 1500) - 3
		body := t.Device.Body("config", length)
		t.CoAP.Set(t.Device.PathOf("config"), body.Bytes, coap.JSON)
		t.Step("give it %d bytes in blocks of at most %d", len(body.Bytes), size)
		mark := t.Log.Len()
		if err := t.Device.Stop(ctx); err != nil {
			return err
		}
		if _, err := t.Contact(ctx); err != nil {
			return err
		}
		said, ok, err := t.Device.AwaitSaying(ctx, "config", mark, t.Device.ConnectWithin()+time.Minute, body.Is)
		if err != nil {
			return err
		}
		if gets(t.Log.Since(mark), t.Device.PathOf("config")) == 0 {
			return check.NotRun("say under config: what the device GETs after its start", "the device did not GET %s", t.Device.PathOf("config"))
		}
		t.Record("blocks of %d: it says %q, the body is %s", size, said, body.Sum)
		if !ok {
			t.Find(check.Finding{
				Title: fmt.Sprintf("Does not take a body in blocks of %d bytes", size),
				Seen:  fmt.Sprintf("a minute after its start it says %q of its configuration; the body of %d bytes has CRC %s", said, len(body.Bytes), body.Sum),
			})
			return nil
		}
	}
	return nil
}
