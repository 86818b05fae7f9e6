package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapCriticalOption looks at a device that refuses a critical option that it does not know, and ignores an elective one.
var CoapCriticalOption = &check.Check{
	ID:       "protocol.coap-critical-option",
	Title:    "Refuses a critical option that it does not know, and ignores an elective one",
	Why:      "A critical option changes what a request means. A device that carries the request out without it does something else than was asked; one that refuses elective options breaks with the next release of the server.",
	Pass:     "a confirmable request with an unknown critical option is answered 4.02 or reset, a non-confirmable one is never carried out; one with an unknown elective option is answered like one without",
	Fix:      "walk over the options of a request before it is carried out: odd numbers that are not known refuse it, even ones are passed over",
	Severity: check.Major,
	Rows:     []string{"coap.critical-option"},
	Sources:  []string{"RFC 7252 section 5.4.1"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"resource"}},
	Impact:   check.Observes,
	Typical:  30 * time.Second,
	Limit:    10 * time.Minute,
	Run:      coapCriticalOption,
}

func coapCriticalOption(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	peer, err := t.Awake(ctx)
	if err != nil {
		return err
	}
	get := func(kind coap.Type, option coap.OptionID) (answer string, err error) {
		m := (&coap.Message{Type: kind, Code: coap.GET}).SetPath(t.Device.PathOf("resource"))
		if option != 0 {
			m.Add(option, []byte("shakedown"))
		}
		r, err := peer.Request(ctx, m, 15*time.Second)
		switch {
		case errors.Is(err, origin.ErrReset):
			return "reset", nil
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err != nil:
			return "no answer", nil
		}
		return r.Code.String(), nil
	}
	var got [4]string
	for i, c := range []struct {
		kind   coap.Type
		option coap.OptionID
	}{{coap.CON, 0}, {coap.CON, 65001}, {coap.NON, 65001}, {coap.CON, 65000}} {
		if got[i], err = get(c.kind, c.option); err != nil {
			return err
		}
	}
	t.Record("without: %s; critical: %s, in a NON: %s; elective: %s", got[0], got[1], got[2], got[3])
	if got[0] != coap.Content.String() {
		return check.NotRun("say under resource: what answers GET", "the device answers %q to an ordinary GET", got[0])
	}
	t.Find(judgeOptions(got[0], got[1], got[2], got[3])...)
	return nil
}

func judgeOptions(plain, critical, nonCritical, elective string) []check.Finding {
	var out []check.Finding
	add := func(title, seen string) { out = append(out, check.Finding{Title: title, Seen: seen}) }
	switch critical {
	case coap.BadOption.String(), "reset":
	case plain:
		add("Carries out a request with a critical option that it does not know", fmt.Sprintf("option 65001 was answered %s", critical))
	default:
		out = append(out, check.Finding{Severity: check.Minor, Title: "Answers otherwise than 4.02 to a critical option that it does not know", Seen: critical})
	}
	if nonCritical == plain {
		add("Carries out a non-confirmable request with a critical option that it does not know", fmt.Sprintf("option 65001 was answered %s", nonCritical))
	}
	if elective != plain {
		add("Refuses an elective option that it does not know", fmt.Sprintf("option 65000 was answered %s, in place of %s", elective, plain))
	}
	return out
}
