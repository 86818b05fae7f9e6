package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/origin"
)

// CoapDTLSHelloStorm looks at a device that asks a server that does not answer ever more slowly for a session.
var CoapDTLSHelloStorm = &check.Check{
	ID:       "fault.coap-dtls-hello-storm",
	Title:    "Asks a server that does not answer ever more slowly for a session",
	Why:      "When the server is away, every device tries to reach it. Those that send a ClientHello every second fill the link, and no server can come back under them.",
	Pass:     "no more than 7 ClientHellos of one attempt, and 10 of all, in 60 s without an answer, with growing waits; a session within its reconnect cap and 2 minutes once the server answers",
	Fix:      "double the retransmission timer of the handshake from 1 s to 60 s, and keep a backoff between attempts",
	Severity: check.Major,
	Rows:     []string{"coap.dtls.hello-storm"},
	Sources:  []string{"RFC 6347 section 4.2.4.1", "RFC 9147 section 5.8.2"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.DTLS},
	Impact:   check.Disturbs,
	Typical:  2 * time.Minute,
	Limit:    15 * time.Minute,
	Run:      coapDTLSHelloStorm,
}

func coapDTLSHelloStorm(ctx context.Context, t *check.T) error {
	mute := t.Impair(t.CoAP.MuteHellos())
	t.Step("start it, and answer no ClientHello for 60 s")
	if err := t.Device.Start(ctx); err != nil {
		return err
	}
	first, ok, err := t.Device.AwaitEvent(ctx, 0, t.Device.ConnectWithin(), func(e evidence.Event) bool { return e.Kind == evidence.Hello })
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("see its console in the evidence", "the device sent no ClientHello within %s", t.Device.ConnectWithin())
	}
	if err := t.Clock.Sleep(ctx, time.Minute); err != nil {
		return err
	}
	var all []time.Time
	attempts, most := map[string]int{}, 0
	for _, e := range t.Log.Since(first.N) {
		if h, is := e.Data.(origin.Hello); is && e.Kind == evidence.Hello {
			all = append(all, e.At)
			attempts[h.Random]++
			most = max(most, attempts[h.Random])
		}
	}
	t.Measure("ClientHellos in 60 s", float64(len(all)), "", "<= 10")
	t.Find(judgeHellos(len(all), most)...)
	mark := t.Log.Len()
	mute()
	alarm, err := t.Recovers(ctx, mark, t.Device.Cap()+2*time.Minute, "a server that was away for a minute")
	t.Find(alarm...)
	return err
}

func judgeHellos(all, ofOne int) []check.Finding {
	switch {
	case ofOne > 7:
		return []check.Finding{{Title: "Repeats its ClientHello without waiting longer", Seen: fmt.Sprintf("%d times in 60 s", ofOne)}}
	case all > 10:
		return []check.Finding{{Title: "Begins handshakes over and over", Seen: fmt.Sprintf("%d ClientHellos in 60 s", all)}}
	}
	return nil
}
