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
	ID:    "fault.coap-dtls-new-session",
	Title: "Begins a new session when the server has forgotten the old one",
	Why:   "A server restarts, and knows no session any more: what devices send it cannot read, and it says nothing. A device that does not notice is gone until someone takes its battery out.",
	Pass: "within 93 s, its reconnect cap and 60 s of the loss a new handshake is made and a request answered, and what it observed before is registered again within 30 s; of the readings of that time, " +
		"where sequence and offline_buffer are declared, as many come as the buffer keeps",
	Fix:      "when a message is given up, drop the session and begin anew: handshake, registration, observations; keep what was not acknowledged",
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
	first, err := t.Contact(ctx)
	if err != nil {
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
	if t.Find(alarm...); err != nil || len(alarm) > 0 {
		return err
	}
	if observes {
		if err := observesAgain(ctx, t, secure.N, path); err != nil {
			return err
		}
	}
	keeps := t.Product.Declared.OfflineBuffer
	if !t.Device.Has("sequence") || keeps == 0 {
		t.Record("sequence or offline_buffer is not declared: missing readings are not looked for")
		return nil
	}
	t.Step("wait for the readings of the time without a session")
	before := newestReading(t.Log.Since(0)[:mark], t.Device.Sequence)
	lost := func() []check.Finding {
		return judgeReadingsKept(before, newestReading(t.Log.Since(mark), t.Device.Sequence), len(gaps(t, first.Mark)), keeps)
	}
	if err := t.Clock.Sleep(ctx, 10*time.Second); err != nil {
		return err
	}
	if len(lost()) > 0 { // they may come slowly
		if _, _, err := t.Device.AwaitEvent(ctx, t.Log.Len(), time.Minute, func(evidence.Event) bool { return len(lost()) == 0 }); err != nil {
			return err
		}
	}
	t.Find(lost()...)
	return nil
}

// observesAgain waits, after event number mark, for the registration of what the device observed.
func observesAgain(ctx context.Context, t *check.T, mark int, path string) error {
	_, ok, err := t.Device.AwaitMessage(ctx, mark, 30*time.Second, func(_ evidence.Event, m *coap.Message) bool {
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

// newestReading is the highest running number among telemetry messages; 0: there is none.
func newestReading(events []evidence.Event, sequence func(evidence.Event) (int64, bool)) (n int64) {
	for _, e := range events {
		if m, ok := sequence(e); ok {
			n = max(n, m)
		}
	}
	return n
}

// judgeReadingsKept judges how many readings are missing, of those after number before up to number now, with a buffer for keeps of them.
func judgeReadingsKept(before, now int64, missing, keeps int) []check.Finding {
	over := max(0, int(now-before)-keeps) // what the buffer need not hold, and what was taken meanwhile
	if missing <= over {
		return nil
	}
	return []check.Finding{{
		Severity: check.Major,
		Title:    "Loses readings with its session",
		Expected: fmt.Sprintf("at most %d missing of %d readings, with a buffer for %d", over, now-before, keeps),
		Seen:     fmt.Sprintf("%d are missing between number %d, the last before the loss, and number %d", missing, before, now),
	}}
}
