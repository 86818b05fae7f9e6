package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapBlockLoss looks at a device that completes a transfer in which blocks are lost.
var CoapBlockLoss = &check.Check{
	ID:       "protocol.coap-block-loss",
	Title:    "Completes a transfer in which blocks are lost",
	Why:      "The larger the body, the surer it is that a block of it is lost. A device that begins anew each time never gets its configuration over a bad link.",
	Pass:     "when each block is lost once, one is duplicated and one comes late, the body is taken within 4 minutes, and the transfer begins anew no more than 3 times",
	Fix:      "repeat the request of the block that did not come, under the rules of every confirmable message; begin anew only after 4.08 or a change of the ETag",
	Severity: check.Blocker,
	Rows:     []string{"coap.block.loss"},
	Sources:  []string{"RFC 7959 section 2.4", "RFC 7252 section 4.2", "obgm/libcoap#372"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "config"}},
	Impact:   check.Disturbs,
	Typical:  60 * time.Second,
	Limit:    20 * time.Minute,
	Run:      coapBlockLoss,
}

func coapBlockLoss(ctx context.Context, t *check.T) error {
	path := t.Device.PathOf("config")
	body := t.Device.Body("config", 700)
	t.CoAP.Set(path, body.Bytes, coap.JSON)
	t.Impair(t.CoAP.BlockSize(128))
	seen := map[uint32]int{}
	block := func(m *coap.Message) (uint32, bool) {
		b, ok := m.Block(coap.Block2)
		return b.Num, ok && m.Code == coap.Content
	}
	on := func(do origin.Action, match func(num uint32, times int) bool) {
		t.Impair(t.CoAP.When(origin.Rule{Dir: origin.Out, Do: do, Match: func(_ *origin.Peer, m *coap.Message) bool {
			num, ok := block(m)
			return ok && match(num, seen[num])
		}}))
	}
	t.Impair(t.CoAP.When(origin.Rule{Dir: origin.Out, Match: func(_ *origin.Peer, m *coap.Message) bool {
		if num, ok := block(m); ok {
			seen[num]++
		}
		return false
	}}))
	on(origin.Drop(), func(_ uint32, times int) bool { return times == 1 })
	on(origin.Repeat(2, 200*time.Millisecond), func(num uint32, times int) bool { return num == 1 && times == 2 })
	on(origin.Delay(1500*time.Millisecond), func(num uint32, times int) bool { return num == 2 && times == 2 })
	t.Step("lose each block of %d bytes once, double one, delay one", len(body.Bytes))
	mark := t.Log.Len()
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	said, ok, err := t.Device.AwaitSaying(ctx, "config", mark, 4*time.Minute, body.Is)
	if err != nil {
		return err
	}
	begun := gets(t.Log.Since(mark), path)
	if begun == 0 {
		return check.NotRun("say under config: what the device GETs after its start", "the device did not GET %s", path)
	}
	t.Measure("times that the transfer began", float64(begun), "", "<= 4")
	switch {
	case !ok:
		t.Find(check.Finding{Title: "Does not complete a transfer in which blocks are lost", Seen: fmt.Sprintf("4 minutes later it says %q of its configuration; the body has CRC %s; the transfer was begun %d times", said, body.Sum, begun)})
	case begun > 4:
		t.Find(check.Finding{Severity: check.Major, Title: "Begins a transfer anew whenever a block is lost", Seen: fmt.Sprintf("begun %d times", begun)})
	}
	return nil
}
