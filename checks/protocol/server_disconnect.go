package protocol

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// ServerDisconnect sends the device away with a reason, again and again.
var ServerDisconnect = &check.Check{
	ID:    "protocol.server-disconnect",
	Title: "Heeds the reason for which the broker disconnects it",
	Why: "A broker that is busy, shuts down or has used up a quota says so, to get rid of load. " +
		"Devices that come back at once turn a maintenance of a minute into an outage.",
	Pass: "after DISCONNECT 0x8B, 0x97, 0x9B or 0x89 behind every CONNACK the median of the first pauses is 0.2 s or more; " +
		"after 0x8B, 0x97 and 0x89 it goes on running and comes back by itself within the declared reconnect_cap + 30 s",
	Fix:          "treat DISCONNECT of the server like a failed attempt in the back-off, with a longer first pause for 0x89 and 0x97",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-3"},
	Rows:         []string{"mqtt.disconnect-v5"},
	Sources:      []string{"MQTT 5.0 section 3.14.2.1 and 4.13.2"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Disturbs,
	Typical:      time.Minute,
	Limit:        90 * time.Minute,
	Run:          serverDisconnect,
}

// sentAway is what a device did that was disconnected with a code behind every CONNACK.
type sentAway struct {
	code        byte
	attempts    []testbed.Attempt
	first, last int
	exit        string        // the status with which its process ended, and nothing starts it anew; empty: it did not
	gone        bool          // it did not come back within patience
	patience    time.Duration // 0: how long it may stay away is not declared
}

func serverDisconnect(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	for _, code := range []byte{0x8B, 0x97, 0x9B, 0x89} {
		f, err := sendAway(ctx, t, s, code)
		if err != nil {
			return err
		}
		t.Find(judgeSentAway(f)...)
		if s, err = anew(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// sendAway disconnects the device with code, on this session and on every new one, until a storm is told from a pause; then lets it in.
func sendAway(ctx context.Context, t *check.T, s *testbed.Session, code byte) (sentAway, error) {
	t.Step("disconnect it with 0x%02X behind every CONNACK", code)
	f := sentAway{code: code, first: t.Log.Len()}
	bye := &mqtt.Packet{Type: mqtt.DISCONNECT, Version: mqtt.V5, Code: code}
	heal := t.Impair(t.Broker.When(broker.Rule{Dir: broker.Out, Type: mqtt.CONNACK, Do: broker.Then(func(c *broker.Conn) {
		_ = c.Send(bye) // a connection that has ended is an attempt like any other
		c.Close()
	})}))
	if err := s.Conn.Send(bye); err != nil {
		return f, check.NotRun("", "the connection ended before DISCONNECT could be sent")
	}
	s.Conn.Close()
	wait, cancel := t.Clock.Timeout(ctx, 3*time.Second+t.Clock.Device(slack))
	ends := 0
	_, _ = t.Log.Await(wait, f.first, func(e evidence.Event) bool { // the end of the wait decides too
		if e.Kind == evidence.Close {
			ends++
		}
		if t.Device.Ends(e) {
			f.exit = e.Text
		}
		return ends == 6 || f.exit != ""
	})
	cancel()
	f.last = t.Log.Len() - 1
	f.attempts = testbed.Attempts(t.Log.Since(f.first)[:f.last+1-f.first])
	mark := t.Log.Len()
	heal()
	if f.exit != "" {
		return f, nil
	}
	patience := t.Device.Patience()
	if t.Device.Has("reconnect_cap") {
		f.patience = t.Device.Cap() + 30*time.Second
		patience = f.patience
	}
	_, err := t.Device.NextSession(ctx, mark, patience)
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return f, err
	}
	f.gone = err != nil
	return f, nil
}

// judgeSentAway needs three pauses: one quick reconnect is in order.
func judgeSentAway(f sentAway) []check.Finding {
	name := "DISCONNECT: " + mqtt.CodeName(mqtt.DISCONNECT, mqtt.V5, f.code)
	var found []check.Finding
	gaps := testbed.Gaps(f.attempts)
	slices.Sort(gaps)
	if len(gaps) >= 3 && gaps[len(gaps)/2] < 200*time.Millisecond {
		found = append(found, check.Finding{
			Title:    "Reconnects without a pause after " + name,
			Expected: "the median pause between attempts is 0.2 s or more",
			Seen:     fmt.Sprintf("%d attempts with a median pause of %.3f s", len(f.attempts), gaps[len(gaps)/2].Seconds()),
			Evidence: check.Range(f.first, f.last, "the attempts"),
		})
	}
	if f.code == 0x9B { // it does not pass by itself: staying away is in order
		return found
	}
	if f.exit != "" {
		found = append(found, check.Finding{
			Severity: check.Blocker,
			Title:    check.Ended(f.exit) + " after " + name,
			Expected: "it goes on, and comes back by itself when the broker takes it in again",
			Seen:     "its process ended by itself (" + f.exit + "), and nothing started it again",
			Evidence: check.Range(f.first, f.last, "the end of the process"),
		})
	}
	if f.gone && f.patience > 0 {
		found = append(found, check.Finding{
			Title:    "Stays away after " + name,
			Expected: fmt.Sprintf("it comes back by itself within %.0f s (its declared reconnect_cap + 30 s)", f.patience.Seconds()),
			Seen:     "no accepted connection in that time, although the broker took everyone in again",
			Evidence: check.Range(f.first, f.last, "the last attempts"),
		})
	}
	return found
}
