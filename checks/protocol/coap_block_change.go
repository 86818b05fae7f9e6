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

// CoapBlockChange looks at a device that never mixes the blocks of two versions of a body.
var CoapBlockChange = &check.Check{
	ID:       "protocol.coap-block-change",
	Title:    "Never mixes the blocks of two versions of a body",
	Why:      "A configuration can change while a device gets it. One that goes on with the blocks of the new version has a configuration that nobody wrote.",
	Pass:     "when the body changes with its ETag after the second block, the device says in the end that it has the new body, and never that it has another than the old or the new one",
	Fix:      "compare the ETag of each block with that of the first, and begin anew when it differs",
	Severity: check.Blocker,
	Rows:     []string{"coap.block.change"},
	Sources:  []string{"RFC 7959 section 2.4"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "config"}},
	Impact:   check.Disturbs,
	Typical:  40 * time.Second,
	Limit:    20 * time.Minute,
	Run:      coapBlockChange,
}

func coapBlockChange(ctx context.Context, t *check.T) error {
	path := t.Device.PathOf("config")
	before, after := t.Device.Body("config", 700), t.Device.Body("config", 700)
	t.CoAP.Set(path, before.Bytes, coap.JSON)
	t.Impair(t.CoAP.BlockSize(128))
	t.Impair(t.CoAP.When(origin.Rule{Dir: origin.Out, Times: 1, Match: func(_ *origin.Peer, m *coap.Message) bool {
		b, ok := m.Block(coap.Block2)
		return ok && b.Num == 1
	}, Do: func(_ *origin.Peer, m *coap.Message, pass func(*coap.Message)) {
		t.CoAP.Set(path, after.Bytes, coap.JSON)
		pass(m)
	}}))
	t.Step("change %s between its second and its third block", path)
	mark := t.Log.Len()
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	said, ok, err := t.Device.AwaitSaying(ctx, "config", mark, 3*time.Minute, func(says string) bool { return says != "" && !before.Is(says) })
	if err != nil {
		return err
	}
	changed := false
	for _, e := range t.Log.Since(mark) {
		if m, is := origin.Sent(e); is {
			b, blocks := m.Block(coap.Block2)
			changed = changed || blocks && b.Num == 1
		}
	}
	if !changed {
		return check.NotRun("say under config: what the device GETs after its start; its payload needs {fill}", "the device got no second block of %s", path)
	}
	t.Record("it says %q; the old body is %s, the new one %s", said, before.Sum, after.Sum)
	t.Find(judgeMixed(said, ok, before.Is(said), after.Is(said))...)
	return nil
}

func judgeMixed(said string, ok, isBefore, isAfter bool) []check.Finding {
	switch {
	case isAfter:
		return nil
	case !ok || isBefore:
		return []check.Finding{{Severity: check.Major, Title: "Does not take a body that changed on the way", Seen: fmt.Sprintf("3 minutes later it says %q", said)}}
	}
	return []check.Finding{{Title: "Mixes the blocks of two versions of a body", Seen: fmt.Sprintf("it says %q, which is neither the old nor the new body", said)}}
}

// gets is how often a device began to get a path, in events, without repeated messages.
func gets(events []evidence.Event, path string) int {
	type key struct {
		conn int
		id   uint16
	}
	seen, n := map[key]bool{}, 0
	for _, e := range events {
		m, ok := origin.Got(e)
		if !ok || m.Code != coap.GET || m.Path() != path || seen[key{e.Conn, m.ID}] {
			continue
		}
		seen[key{e.Conn, m.ID}] = true
		if b, _ := m.Block(coap.Block2); b.Num == 0 {
			n++
		}
	}
	return n
}
