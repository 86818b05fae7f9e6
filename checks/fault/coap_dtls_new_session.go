package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// CoapDTLSNewSession looks at a device that begins a new session when the server has forgotten the old one.
var CoapDTLSNewSession = &check.Check{
	ID:       "fault.coap-dtls-new-session",
	Title:    "Begins a new session when the server has forgotten the old one",
	Why:      "A server restarts, and knows no session any more: what devices send it cannot read, and it says nothing. A device that does not notice is gone until someone takes its battery out.",
	Pass:     "within 93 s, its reconnect cap and 60 s of the loss a new handshake is made and a request answered, and what it observed before is registered again within 30 s; no reading is missing",
	Fix:      "when a message is given up, drop the session and begin anew: handshake, registration, observations",
	Severity: check.Blocker,
	Rows:     []string{"coap.dtls.new-session"},
	Sources:  []string{"RFC 7252 section 4.2", "OpenMobileAlliance/OMA_LwM2M_for_Developers#161"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.DTLS},
	Impact:   check.Disturbs,
	Typical:  3 * time.Minute,
	Limit:    20 * time.Minute,
	Run:      coapDTLSNewSession,
}

func coapDTLSNewSession(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 10*time.Second); err != nil {
		return err
	}
	path := t.Device.PathOf("settings")
	observes := path != "" && t.CoAP.Observers(path) > 0
	within := 93*time.Second + t.Device.Cap() + time.Minute
	t.Step("the server forgets its DTLS sessions and its observers")
	mark, start := t.Log.Len(), t.Clock.Now()
	t.CoAP.ForgetObservers()
	t.CoAP.ForgetSessions()
	secure, ok, err := t.Device.AwaitEvent(ctx, mark, within, func(e evidence.Event) bool { return e.Kind == evidence.Secure })
	if err != nil {
		return err
	}
	if !ok {
		t.Find(check.Finding{Title: "Does not notice that the server has forgotten its session", Seen: fmt.Sprintf("no new session within %s", within)})
		return nil
	}
	t.MeasureTime("from the loss to a new session", secure.At.Sub(start), "<= "+within.String())
	alarm, err := t.Recovers(ctx, secure.N, t.Device.Reports(), "a lost session")
	if t.Find(alarm...); err != nil || len(alarm) > 0 || !observes {
		return err
	}
	_, ok, err = t.Device.AwaitMessage(ctx, secure.N, 30*time.Second, func(_ evidence.Event, m *coap.Message) bool {
		n, is := m.Uint(coap.Observe)
		return m.Code == coap.GET && m.Path() == path && is && n == 0
	})
	if err != nil {
		return err
	}
	if !ok {
		t.Find(check.Finding{Title: "Does not observe again what it observed in the session before", Seen: "no registration for " + path + " within 30 s of the new session"})
	}
	return nil
}
