package protocol

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapDupMid looks at a device that carries a repeated request out once.
var CoapDupMid = &check.Check{
	ID:       "protocol.coap-dup-mid",
	Title:    "Carries a repeated request out once",
	Why:      "An acknowledgement gets lost, the request comes again. A lock that opens twice, or a counter that counts twice, is a fault that nobody can reproduce.",
	Pass:     "a confirmable request that comes 4 times within 60 s with the same message id is done exactly once, and each copy is answered alike",
	Fix:      "keep the answers of the last requests for EXCHANGE_LIFETIME (247 s) by message id and source, and send them again in place of acting again",
	Severity: check.Blocker,
	Rows:     []string{"coap.dup.mid"},
	Sources:  []string{"RFC 7252 section 4.5"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "action"}},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapDupMid,
}

func coapDupMid(ctx context.Context, t *check.T) error {
	c, err := t.Contact(ctx)
	if err != nil {
		return err
	}
	before, ok, err := counted(ctx, t, c.Mark)
	if err != nil || !ok {
		return err
	}
	peer, err := t.Awake(ctx)
	if err != nil {
		return err
	}
	t.Step("post to %s, and send the same message again after 1, 20 and 60 s", t.Device.PathOf("action"))
	mark := t.Log.Len()
	m := (&coap.Message{Type: coap.CON, Code: coap.POST, ID: peer.NextID(), Token: peer.NewToken()}).SetPath(t.Device.PathOf("action"))
	for _, wait := range []time.Duration{0, time.Second, 19 * time.Second, 40 * time.Second} {
		if err := t.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
		peer.Send(m)
	}
	if err := t.Clock.Sleep(ctx, 3*time.Second); err != nil {
		return err
	}
	var answers []string
	for _, e := range t.Log.Since(mark) {
		if a, is := origin.Got(e); is && string(a.Token) == string(m.Token) {
			answers = append(answers, a.Code.String())
		}
	}
	if len(answers) > 0 && answers[0][0] != '2' {
		return check.NotRun("say under action: which resource takes a POST", "the device answers %s to a POST to %s", answers[0], t.Device.PathOf("action"))
	}
	after, ok, err := counted(ctx, t, t.Log.Len())
	if err != nil || !ok {
		return err
	}
	t.Record("4 copies, answers %v, counted %d more", answers, after-before)
	t.Find(judgeDuplicates(4, answers, after-before)...)
	return nil
}

// counted is how often the device says that it did the action.
func counted(ctx context.Context, t *check.T, mark int) (n int, ok bool, err error) {
	said, ok, err := t.Device.AwaitSaying(ctx, "action", mark, t.Device.Reports(), func(string) bool { return true })
	if err != nil {
		return 0, false, err
	}
	if n, err = strconv.Atoi(said); !ok || err != nil {
		return 0, false, check.NotRun("see shows: of action in the product file", "no measurement says how often the action was done: %q", said)
	}
	return n, true, nil
}

func judgeDuplicates(copies int, answers []string, done int) []check.Finding {
	var out []check.Finding
	switch {
	case len(answers) == 0:
		return []check.Finding{{Title: "Does not answer a request", Seen: "no answer to any copy"}}
	case done > 1:
		out = append(out, check.Finding{Title: "Carries a repeated request out again", Seen: fmt.Sprintf("it was done %d times", done)})
	case done == 0:
		out = append(out, check.Finding{Title: "Answers a request that it does not carry out", Seen: fmt.Sprintf("answered %s, and was not done", answers[0])})
	}
	for _, a := range answers[1:] {
		if a != answers[0] {
			out = append(out, check.Finding{Severity: check.Major, Title: "Answers a repeated request in another way", Seen: fmt.Sprint(answers)})
			break
		}
	}
	if len(answers) < copies {
		out = append(out, check.Finding{Severity: check.Major, Title: "Does not answer a repeated request", Seen: fmt.Sprintf("%d answers to %d copies", len(answers), copies)})
	}
	return out
}
