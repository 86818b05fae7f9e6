package load

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// SlowConsumer has one client stop reading while megabytes are sent to it.
var SlowConsumer = &check.Check{
	ID:    "load.slow-consumer",
	Title: "Serves all others while one client does not read",
	Why: "A client on a dead radio link, or a frozen one, takes nothing off its connection. A broker that waits for it to take the next byte " +
		"makes everybody wait with it.",
	Pass: "while 6 MiB are on their way to a client that reads nothing, all messages of the fleet are acknowledged and arrive, 20 s after the " +
		"last at the latest, and no device is dropped; the client is taken back afterwards",
	Fix:          "never write to a connection that has no room from where others are served; bound what waits for it, and cut it off then",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "API10:API4"},
	Sources:      []string{"the size is ours: more than the buffers of TCP on both sides hold by default"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          slowConsumer,
}

const (
	heaps    = 96 // messages to the client that does not read
	heapSize = 64 << 10
)

func slowConsumer(ctx context.Context, t *check.T) error {
	place, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	stuck, err := t.Join(ctx, place, 1)
	if err != nil {
		return err
	}
	if err := check.Subscribed(ctx, stuck, mqtt.Subscription{Filter: place.Topic("heap")}); err != nil {
		return err
	}
	writer, err := t.Join(ctx, place, 0)
	if err != nil {
		return err
	}
	first := t.Log.Len()
	l := testbed.Load{Fleet: few(f, 200), For: span(f, 25*time.Second, 0.3), Within: 20 * time.Second}
	t.Step("%d devices send; one client reads nothing of %d MiB that are sent to it", f.Devices, heaps*heapSize>>20)
	piled := 0
	r, err := during(ctx, t, "One client does not read", l, showsAcks, func(context.Context) error {
		stuck.Stall()
		for ; piled < heaps; piled++ {
			if err := writer.Send(&mqtt.Packet{Type: mqtt.PUBLISH, Topic: place.Topic("heap"), Payload: make([]byte, heapSize)}); err != nil {
				return nil // that the cloud takes nothing any more shows in what the fleet suffers
			}
		}
		return nil
	})
	stuck.Unstall()
	if err != nil {
		return err
	}
	stuck.Close()
	var back *client.Conn
	again := error(nil)
	if back, again = place.Join(ctx, 1); again == nil {
		again = testbed.Echo(ctx, back, place.Topic("echo"))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	found := judgeStuck(r, piled, again)
	if len(found) == 0 && piled < heaps/4 && writer.Ended() != nil {
		return check.NotRun("let the first identity under clients: send 64 KiB at a time", "the cloud ended the connection of who sends to it (%s) after %d messages: hardly anything was on its way",
			writer.Ended().By, piled)
	}
	for i := range found {
		found[i].Evidence = check.Range(first, t.Log.Len()-1, "the client that does not read, and who sends to it")
	}
	return findIn(t, r, found)
}

// judgeStuck is given how many messages were taken for the client that did not read, and how it fared when it came back.
func judgeStuck(r *series.Record, piled int, again error) []check.Finding {
	found := judgeHarm("Makes others wait for a client that does not read", r)
	if found != nil && piled < heaps {
		found[0].Seen += fmt.Sprintf("; only %d of %d messages for it were taken from their sender", piled, heaps)
	}
	if again != nil {
		found = append(found, check.Finding{Severity: check.Major, Title: "Does not serve a client again that did not read for a while", Seen: again.Error()})
	}
	return found
}
