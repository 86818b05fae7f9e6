package fault

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// HalfOpenSilent makes the link a black hole.
var HalfOpenSilent = &check.Check{
	ID:    "fault.half-open-silent",
	Title: "Notices that its connection is dead, and comes back",
	Why: "A router that restarts or a mobile cell that is full drops packets and tells nobody. " +
		"A device that does not notice shows as online, hears nothing, and stays so until someone pulls its plug.",
	Pass:         "when nothing passes either way, without FIN or RST, the device closes the connection within 1.5 times its keep-alive (up to 2 times and 5 s is minor), and has a new one within twice its reconnect cap and 10 s of the healing; bytes are still acknowledged by TCP here, so only the device's own timers count",
	Fix:          "ping when nothing was heard for a keep-alive, and close the connection when no answer comes within half of one",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Incidents:    []string{"INC-044"},
	Rows:         []string{"mqtt.halfopen.silent-drop", "fault.cloud.half_open"},
	Sources:      []string{"MQTT 3.1.1 section 3.1.2.10", "MQTT 5.0 section 3.1.2.10", "github.com/marvinroger/async-mqtt-client issue 105", "limits: a proposal; common libraries close after 1 to 2 times the keep-alive"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      2 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          halfOpenSilent,
}

func halfOpenSilent(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	k, err := check.KeepAlive(s)
	if err != nil {
		return err
	}
	t.Step("let nothing pass any more; its keep-alive is %.0f s", k.Seconds())
	u := unheard{keepAlive: k, good: k * 3 / 2, still: 2*k + 5*time.Second, since: "the last packet that passed"}
	mark, start := t.Log.Len(), t.Clock.Now()
	heal := t.Impair(t.Link.Blackhole())
	if err := u.awaitNotice(ctx, t, s, mark, start); err != nil {
		return err
	}
	t.MeasureTime("silence to the end of the connection", u.after, "<= "+(k*3/2).String())
	t.Step("heal the link, and wait for the device")
	mark, start = t.Log.Len(), t.Clock.Now()
	heal()
	back, err := u.awaitReturn(ctx, t, mark)
	if err != nil {
		return err
	}
	if back != nil {
		t.MeasureTime("healing to a new connection", back.Since.Sub(start), "<= "+u.backWithin.String())
	}
	t.Find(judgeUnheard(u)...)
	return nil
}
