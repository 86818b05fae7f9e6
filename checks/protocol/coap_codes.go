package protocol

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapCodes looks at a device that says with the right code why it refuses a request.
var CoapCodes = &check.Check{
	ID:       "protocol.coap-codes",
	Title:    "Says with the right code why it refuses a request",
	Why:      "A client decides by the code whether to try again, to ask for another format, or to give up. A wrong code makes it do the wrong thing.",
	Pass:     "an unknown path is answered 4.04, a method that a resource has not 4.05 (or 4.01, 4.03), a format that it cannot give 4.06, one that it cannot take 4.15; no refused request is carried out",
	Fix:      "answer from the resource table: path first, then method, then Accept and Content-Format",
	Severity: check.Minor,
	Rows:     []string{"coap.codes"},
	Sources:  []string{"RFC 7252 sections 5.8, 5.9.2, 5.10.3 and 5.10.4"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"resource"}},
	Impact:   check.Observes,
	Typical:  30 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapCodes,
}

func coapCodes(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	peer, err := t.Awake(ctx)
	if err != nil {
		return err
	}
	resource, action := t.Device.PathOf("resource"), t.Device.PathOf("action")
	cases := []refusal{
		{"an ordinary GET", (&coap.Message{Code: coap.GET}).SetPath(resource), []coap.Code{coap.Content}},
		{"an unknown path", (&coap.Message{Code: coap.GET}).SetPath("/shakedown/none"), []coap.Code{coap.NotFound}},
		{"DELETE of its resource", (&coap.Message{Code: coap.DELETE}).SetPath(resource), []coap.Code{coap.MethodNotAllowed, coap.Unauthorized, coap.Forbidden}},
		{"Accept of a format that does not exist", (&coap.Message{Code: coap.GET}).SetPath(resource).AddUint(coap.Accept, 64999), []coap.Code{coap.NotAcceptable}},
	}
	if action != "" {
		cases = append(cases, refusal{
			"Content-Format of a format that does not exist",
			(&coap.Message{Code: coap.POST, Payload: []byte("?")}).SetPath(action).AddUint(coap.ContentFormat, 64999),
			[]coap.Code{coap.UnsupportedFormat, coap.BadRequest},
		})
	}
	for i, c := range cases {
		r, err := peer.Request(ctx, c.m, 15*time.Second)
		got := "no answer"
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, origin.ErrReset):
			got = "a reset"
		case err == nil:
			got = r.Code.String()
		}
		t.Record("%s: %s", c.what, got)
		if i == 0 && got != coap.Content.String() {
			return check.NotRun("say under resource: what answers GET", "the device answers %q to an ordinary GET", got)
		}
		t.Find(judgeRefusal(c, got)...)
	}
	return nil
}

// refusal is a request with the codes that are right for it.
type refusal struct {
	what string
	m    *coap.Message
	want []coap.Code
}

func judgeRefusal(c refusal, got string) []check.Finding {
	if slices.ContainsFunc(c.want, func(w coap.Code) bool { return w.String() == got }) {
		return nil
	}
	return []check.Finding{{Title: "Answers " + got + " to " + c.what, Expected: fmt.Sprint(c.want), Seen: got}}
}
