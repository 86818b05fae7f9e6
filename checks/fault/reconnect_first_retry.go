package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ReconnectFirstRetry lets the pauses of the device grow, gives it a long healthy session, and drops that once.
var ReconnectFirstRetry = &check.Check{
	ID:    "fault.reconnect-first-retry",
	Title: "Is back within seconds when a long session is dropped",
	Why: "Pauses that grew in one outage and are never started anew make every later hiccup last for minutes. " +
		"Owners see a device that gets slower from month to month, until a restart cures it.",
	Pass: "the first attempt within 5 s of the end of a session that lasted 60 s, or of one that lasted 180 s when the shorter one " +
		"did not do, after 4 failed attempts had made the pauses grow",
	Fix:          "start the pauses anew after a session of 10 to 60 s",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"mqtt.backoff.reset"},
	Sources:      []string{"measured: a gateway whose counter was never reset", "AWS IoT Device Advisor has no such test"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        45 * time.Minute,
	Run:          reconnectFirstRetry,
}

const firstRetry = 5 * time.Second

func reconnectFirstRetry(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("let 4 attempts fail, so that its pauses grow")
	heal := t.Impair(t.Broker.When(broker.Rule{Dir: broker.In, Type: mqtt.CONNECT, Do: broker.All(broker.Answer(), broker.ThenClose())}))
	mark := t.Log.Len()
	s.Conn.Close()
	if err := failures(ctx, t, mark, 4); err != nil {
		return err
	}
	mark = t.Log.Len()
	heal()
	if s, err = t.Device.NextSession(ctx, mark, backWithin(t, 2)); err != nil {
		return check.Offline(err)
	}
	var drops []drop
	for _, healthy := range []time.Duration{60 * time.Second, 180 * time.Second} {
		var d drop
		if d, s, err = dropAfter(ctx, t, s, healthy); err != nil {
			return err
		}
		t.MeasureTime(fmt.Sprintf("first retry after a session of %.0f s", healthy.Seconds()), d.pause, "<= 5 s")
		if drops = append(drops, d); len(judgeFirstRetry(drops, t.Clock.Device(250*time.Millisecond))) == 0 {
			return nil
		}
	}
	t.Find(judgeFirstRetry(drops, t.Clock.Device(250*time.Millisecond))...)
	return nil
}

// failures waits for n attempts to fail.
func failures(ctx context.Context, t *check.T, mark, n int) error {
	wait, cancel := t.Clock.Timeout(ctx, lookFor)
	defer cancel()
	for range n {
		e, err := t.Log.Await(wait, mark, func(e evidence.Event) bool {
			return e.Kind == evidence.Open || e.Kind == evidence.Exit && e.Part == t.Device.Part.Name
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return check.NotRun("see what fault.reconnect-accept-close finds", "it made fewer than %d attempts in %s without a server", n, lookFor)
		case e.Kind == evidence.Exit:
			return check.Offline(fmt.Errorf("%w: its process ended: %s", testbed.ErrAway, e.Text))
		}
		mark = e.N + 1
	}
	return nil
}

// drop is the end of a healthy session and what followed.
type drop struct {
	healthy time.Duration // how long the session lasted
	pause   time.Duration // to the next attempt
	last    int           // number of the event of that
	first   int
}

// dropAfter drops session s once it has lasted for healthy, and returns the next one. That a device closes by itself meanwhile makes it
// not applicable.
func dropAfter(ctx context.Context, t *check.T, s *testbed.Session, healthy time.Duration) (drop, *testbed.Session, error) {
	t.Step("let a session last %.0f s, and drop it", healthy.Seconds())
	closed, err := t.Device.AwaitClose(ctx, s, s.Mark, healthy-t.Clock.Since(s.Since))
	if err == nil {
		return drop{}, nil, check.NotApplicable("it ends its sessions by itself: %s after %.0f s", closed.Text, closed.At.Sub(s.Since).Seconds())
	}
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return drop{}, nil, err
	}
	d := drop{healthy: t.Clock.Since(s.Since), first: t.Log.Len()}
	s.Conn.Close()
	cut := t.Clock.Now()
	next, err := t.Device.NextSession(ctx, d.first, backWithin(t, 2))
	if err != nil {
		return d, nil, check.Offline(err)
	}
	for _, a := range testbed.Attempts(t.Log.Since(d.first)) {
		d.pause, d.last = a.Opened.Sub(cut), a.First
		break
	}
	return d, next, nil
}

// judgeFirstRetry judges the longest of the sessions: one that the device did not count as healthy may have been too short for it.
func judgeFirstRetry(drops []drop, slack time.Duration) []check.Finding {
	d := drops[len(drops)-1]
	if d.pause <= firstRetry+slack {
		return nil
	}
	return []check.Finding{{
		Title:    "Waits long although the dropped session was a long one",
		Expected: fmt.Sprintf("the first attempt within %.0f s", firstRetry.Seconds()),
		Seen:     fmt.Sprintf("after a session of %.0f s it waited %.1f s", d.healthy.Seconds(), d.pause.Seconds()),
		Evidence: check.Range(d.first, d.last, "from the drop to the next attempt"),
	}}
}
