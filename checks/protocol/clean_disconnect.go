package protocol

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// CleanDisconnect stops the device in the orderly way.
var CleanDisconnect = &check.Check{
	ID:    "protocol.clean-disconnect",
	Title: "Says goodbye when it is switched off in the orderly way",
	Why: "Without DISCONNECT the broker takes an ordered restart for a failure and publishes the will. " +
		"Every update then raises a false alarm, and a fleet update a thousand.",
	Pass:         "DISCONNECT before the end of the connection at an ordered stop, and no will published because of it",
	Fix:          "send DISCONNECT and close the connection in the path that every ordered restart takes",
	Severity:     check.Minor,
	Requirements: []string{"EN303645:5.9-2"},
	Rows:         []string{"mqtt.will.clean-disconnect"},
	Sources:      []string{"MQTT-3.14.4-3 (3.1.1)", "MQTT-3.14.4-3 (5.0)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.Restart}},
	Impact:       check.Restarts,
	Typical:      10 * time.Second,
	Limit:        5 * time.Minute,
	Run:          cleanDisconnect,
}

func cleanDisconnect(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	t.Step("stop the device in the orderly way")
	mark := t.Log.Len()
	if err := t.Device.Stop(ctx); err != nil {
		return err
	}
	closed, err := t.Device.AwaitClose(ctx, s, mark, 30*time.Second)
	if err != nil {
		return check.NotRun("see that the driver's stop really stops the device", "its connection did not end within 30 s of the stop")
	}
	if err := settled(ctx, s); err != nil {
		return err
	}
	t.Find(judgeGoodbye(t.Log.Since(mark), s.Conn.Number(), closed.N)...)
	return nil
}

// settled waits until the broker has dealt with the end of the session's connection.
func settled(ctx context.Context, s *testbed.Session) error {
	select {
	case <-s.Conn.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judgeGoodbye looks for a DISCONNECT on connection conn, and for a will that was published without the device having asked for it.
func judgeGoodbye(events []evidence.Event, conn, closed int) []check.Finding {
	first := closed
	said, asked, willed := false, false, false
	for _, e := range events {
		first = min(first, e.N)
		if p, ok := broker.Got(e, mqtt.DISCONNECT); ok && e.Conn == conn {
			said, asked = true, p.Code == 0x04
		}
		if _, ok := broker.Willed(e); ok {
			willed = true
		}
	}
	f := check.Finding{Evidence: check.Range(first, closed, "from the order to stop to the end of the connection")}
	switch {
	case !said && willed:
		f.Title, f.Seen = "Leaves without DISCONNECT, so that its will says that it failed", "the connection ended without DISCONNECT, and the broker published its will"
	case !said:
		f.Title, f.Seen = "Leaves without DISCONNECT", "the connection ended without DISCONNECT"
	case willed && !asked:
		f.Title, f.Seen = "Has its will published at an ordered stop", "a DISCONNECT came that did not discard the will"
	default:
		return nil
	}
	return []check.Finding{f}
}
