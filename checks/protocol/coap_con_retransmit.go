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

// CoapConRetransmit looks at a device that sends an unacknowledged message again, ever more slowly.
var CoapConRetransmit = &check.Check{
	ID:       "protocol.coap-con-retransmit",
	Title:    "Sends an unacknowledged message again, ever more slowly",
	Why:      "Datagrams get lost. A device that does not repeat its message loses readings; one that repeats it without end or pause keeps a radio cell busy and its battery empty.",
	Pass:     "a confirmable message that nobody acknowledges is sent 4 times again, first after 2 to 3 s, then after twice the time before, within 45 s in all; 93 s after the first it is given up",
	Fix:      "use the transmission parameters of RFC 7252 section 4.8 in the CoAP library: ACK_TIMEOUT 2 s, ACK_RANDOM_FACTOR 1.5, MAX_RETRANSMIT 4",
	Severity: check.Blocker,
	Rows:     []string{"coap.con.retransmit"},
	Sources:  []string{"RFC 7252 sections 4.2 and 4.8"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP},
	Impact:   check.Disturbs,
	Typical:  2 * time.Minute,
	Limit:    15 * time.Minute,
	Run:      coapConRetransmit,
}

// retransmitted is what became of one message.
type retransmitted struct {
	at      []time.Time   // when it came
	watched time.Duration // from the first copy to the end of the observation
}

func coapConRetransmit(ctx context.Context, t *check.T) error {
	if _, err := t.Contact(ctx); err != nil {
		return err
	}
	t.Step("acknowledge nothing any more")
	mark := t.Log.Len()
	heal := t.Impair(t.CoAP.When(origin.Rule{Dir: origin.In, Do: origin.Drop()}))
	first, ok, err := t.Device.AwaitMessage(ctx, mark, t.Device.Reports(), func(_ evidence.Event, m *coap.Message) bool {
		return m.Type == coap.CON && m.Code.Request()
	})
	if err != nil {
		return err
	}
	if !ok {
		return check.NotApplicable("the device sent no confirmable request within %s", t.Device.Reports())
	}
	m, _ := origin.Got(first)
	// A device that has given up shows it by doing something else: only then is the observation over early.
	_, _, err = t.Device.AwaitEvent(ctx, first.N, 115*time.Second, func(e evidence.Event) bool {
		other, is := origin.Got(e)
		return e.Kind == evidence.Hello || is && other.Type == coap.CON && (e.Conn != first.Conn || other.ID != m.ID) && e.At.Sub(first.At) > 60*time.Second
	})
	if err != nil {
		return err
	}
	r := retransmitted{at: check.Copies(t.Log.Since(mark), first.Conn, m.ID), watched: t.Clock.Since(first.At)}
	t.Record("%d copies of %s", len(r.at), m)
	for i := 1; i < len(r.at); i++ {
		t.MeasureTime(fmt.Sprintf("wait before copy %d", i+1), r.at[i].Sub(r.at[i-1]), "")
	}
	t.Find(judgeRetransmitted(r)...)
	healed := t.Log.Len()
	heal()
	alarm, err := t.Recovers(ctx, healed, t.Device.Cap()+2*time.Minute, "two minutes without an acknowledgement")
	t.Find(alarm...)
	return err
}

// coapSlack is what a wait may be off by, for the lag of both machines.
const coapSlack = 700 * time.Millisecond

func judgeRetransmitted(r retransmitted) []check.Finding {
	if len(r.at) < 2 {
		return []check.Finding{{Title: "Does not send an unacknowledged message again", Seen: fmt.Sprintf("1 copy in %.0f s", r.watched.Seconds())}}
	}
	var out []check.Finding
	add := func(s check.Severity, title, format string, args ...any) {
		out = append(out, check.Finding{Severity: s, Title: title, Seen: fmt.Sprintf(format, args...)})
	}
	gap := func(i int) time.Duration { return r.at[i].Sub(r.at[i-1]) }
	switch n := len(r.at); {
	case n < 5 && r.watched > 100*time.Second:
		add(check.Major, "Gives an unacknowledged message up early", "%d copies instead of 5", n)
	case n > 5 && r.at[n-1].Sub(r.at[0]) > 93*time.Second:
		add(check.Blocker, "Never gives an unacknowledged message up", "%d copies, the last %.0f s after the first", n, r.at[n-1].Sub(r.at[0]).Seconds())
	case n > 5:
		add(check.Major, "Sends an unacknowledged message more than 5 times", "%d copies within %.0f s", n, r.at[n-1].Sub(r.at[0]).Seconds())
	}
	switch g := gap(1); {
	case g < time.Second-coapSlack:
		add(check.Blocker, "Sends an unacknowledged message again at once", "the first wait is %.2f s", g.Seconds())
	case g < 2*time.Second-coapSlack || g > 3*time.Second+coapSlack:
		add(check.Minor, "Has another first time-out than the standard's", "the first wait is %.2f s, not 2 to 3 s", g.Seconds())
	}
	if last := min(len(r.at), 5) - 1; last > 1 && gap(last)+coapSlack < gap(1)<<(last-1)*6/10 {
		add(check.Blocker, "Does not wait longer from copy to copy", "copy %d came %.1f s after the one before, copy 2 came after %.1f s", last+1, gap(last).Seconds(), gap(1).Seconds())
	}
	if last := min(len(r.at), 5) - 1; r.at[last].Sub(r.at[0]) > 48*time.Second {
		add(check.Major, "Takes longer for its copies than 45 s", "the fifth copy came %.0f s after the first", r.at[last].Sub(r.at[0]).Seconds())
	}
	return out
}
