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

// CoapTokenMismatch looks at a device that takes no response whose token is not that of its request.
var CoapTokenMismatch = &check.Check{
	ID:       "protocol.coap-token-mismatch",
	Title:    "Takes no response whose token is not that of its request",
	Why:      "Answers can be late, or meant for someone else. A device that does not compare the token takes the answer to one question for that to another.",
	Pass:     "a response with another token is never used: the device has the right configuration in the end, and never the one that came with a wrong token",
	Fix:      "compare the token of every response with those of open requests, not the message id alone",
	Severity: check.Major,
	Rows:     []string{"coap.token-mismatch"},
	Sources:  []string{"RFC 7252 section 5.3.2", "RFC 9175 section 4"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "config"}},
	Impact:   check.Disturbs,
	Typical:  30 * time.Second,
	Limit:    15 * time.Minute,
	Run:      coapTokenMismatch,
}

func coapTokenMismatch(ctx context.Context, t *check.T) error {
	right, wrong := t.Device.Body("config", 0), t.Device.Body("config", 0)
	path := t.Device.PathOf("config")
	t.CoAP.Put(path, right.Bytes, coap.JSON)
	asked := map[string]bool{}
	t.Impair(t.CoAP.When(origin.Rule{Dir: origin.In, Match: func(p *origin.Peer, m *coap.Message) bool {
		if m.Code == coap.GET && m.Path() == path {
			asked[string(m.Token)] = true
		}
		return false
	}}))
	t.Impair(t.CoAP.When(origin.Rule{
		Dir: origin.Out, Times: 1, Match: func(_ *origin.Peer, m *coap.Message) bool { return m.Code == coap.Content && asked[string(m.Token)] },
		Do: origin.Change(func(m *coap.Message) {
			m.Token = append([]byte{m.Token[0] ^ 0x55}, m.Token[1:]...)
			m.Payload = wrong.Bytes
			m.Remove(coap.Block2).Remove(coap.Size2)
		}),
	}))
	t.Step("answer the first GET of %s with another token and another body", path)
	c, err := t.Contact(ctx)
	if err != nil {
		return err
	}
	used := false
	said, ok, err := t.Device.AwaitSaying(ctx, "config", c.Mark, 4*time.Minute, func(says string) bool {
		used = wrong.Is(says)
		return used || right.Is(says)
	})
	if err != nil {
		return err
	}
	if len(asked) == 0 {
		return check.NotRun("say under config: what the device GETs after its start", "the device did not GET %s", path)
	}
	t.Record("the device says of its configuration: %q", said)
	switch {
	case used:
		t.Find(check.Finding{Title: "Uses a response that has another token than its request", Seen: "the configuration that came with a wrong token is in force"})
	case !ok:
		t.Find(check.Finding{Title: "Does not ask again after a response with a wrong token", Seen: fmt.Sprintf("it still says %q 4 minutes later", said)})
	}
	return nil
}
