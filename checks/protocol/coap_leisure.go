package protocol

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapLeisure looks at a device that takes its time to answer a question to all.
var CoapLeisure = &check.Check{
	ID:       "protocol.coap-leisure",
	Title:    "Takes its time to answer a question to all",
	Why:      "A phone asks who is there, and a hundred lamps answer in the same millisecond. On a mesh network none of these answers arrives.",
	Pass:     "8 requests to the group All CoAP Nodes are each answered within 5.5 s, after waits that are spread over at least 0.5 s, and a request to the group for an unknown path is never answered",
	Fix:      "wait for a random part of DEFAULT_LEISURE (5 s) before a response to a multicast request, and suppress errors",
	Severity: check.Minor,
	Rows:     []string{"coap.leisure"},
	Sources:  []string{"RFC 7252 section 8.2"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"port"}, World: true},
	Impact:   check.Observes,
	Typical:  60 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapLeisure,
}

func coapLeisure(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	near, err := t.Stranger()
	if err != nil {
		return err
	}
	defer near.Close()
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 1, 187), Port: 5683}
	var waits []time.Duration
	for i := range 8 {
		m := (&coap.Message{Type: coap.NON, Code: coap.GET, ID: uint16(500 + i), Token: []byte{0x5d, byte(i)}}).SetPath("/.well-known/core")
		t.Step("ask the group who is there (%d)", i+1)
		_, took, err := near.Ask(ctx, m, group, 20*time.Second)
		if err != nil {
			return err
		}
		if took > 0 {
			waits = append(waits, took)
		}
	}
	if len(waits) == 0 {
		return check.NotApplicable("the device does not answer in the group All CoAP Nodes")
	}
	unknown := (&coap.Message{Type: coap.NON, Code: coap.GET, ID: 600, Token: []byte{0x5d, 0xff}}).SetPath("/shakedown/none")
	answer, took, err := near.Ask(ctx, unknown, group, 8*time.Second)
	if err != nil {
		return err
	}
	for _, w := range waits {
		t.MeasureTime("to the answer of a question to all", w, "<= 5.5 s")
	}
	t.Find(judgeLeisure(waits)...)
	if took > 0 && answer.Code.Class() >= 4 {
		t.Find(check.Finding{Title: "Answers a question to all with an error", Seen: "it answered " + answer.Code.String() + " to an unknown path"})
	}
	return nil
}

func judgeLeisure(waits []time.Duration) []check.Finding {
	longest, spread := slices.Max(waits), slices.Max(waits)-slices.Min(waits)
	switch {
	case longest > 5500*time.Millisecond:
		return []check.Finding{{Title: "Answers a question to all later than 5 s", Seen: fmt.Sprintf("after %.1f s", longest.Seconds())}}
	case len(waits) >= 4 && spread < 500*time.Millisecond:
		return []check.Finding{{Title: "Answers a question to all at once", Seen: fmt.Sprintf("%d answers after %.2f to %.2f s", len(waits), slices.Min(waits).Seconds(), longest.Seconds())}}
	}
	return nil
}
