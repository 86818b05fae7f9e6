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

// InflightWindow feeds a subscriber that has room for five messages with what the fleet sends.
var InflightWindow = &check.Check{
	ID:    "load.inflight-window",
	Title: "Sends no more unacknowledged messages than its client has room for",
	Why: "A small client says how many messages it can hold, and a broker under load that sends more overruns it: a gateway with 64 KB " +
		"of memory restarts, connects, and gets the same again.",
	Pass: "a client with a Receive Maximum of 5 that acknowledges nothing has at most 5 messages of QoS 1 in flight, however much there is for " +
		"it; once it acknowledges, all of them come",
	Fix:          "keep to the Receive Maximum of CONNECT, also for what comes from a queue",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Sources:      []string{"MQTT 5.0 sections 3.1.2.11.3 and 4.9, [MQTT-3.3.4-9]"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          inflightWindow,
}

const receiveMaximum = 5

// windowed is what a client with a small window got.
type windowed struct {
	inFlight int // messages of QoS 1 before the first acknowledgement
	fed      int // messages that the cloud acknowledged to the fleet
	all      int // messages in the end
	ended    string
}

func inflightWindow(ctx context.Context, t *check.T) error {
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	filters, err := feeds(few(f, 100))
	if err != nil {
		return err
	}
	who := t.Cloud.Operator(f)
	if version, err := t.Cloud.Version(ctx, who); err != nil {
		return err
	} else if version == mqtt.V311 {
		return check.NotApplicable("the cloud speaks MQTT 3.1.1 alone, which has no Receive Maximum")
	}
	c, err := t.LookOn(ctx, who, nil, narrowWindow(receiveMaximum))
	if err != nil {
		return err
	}
	c.Hold()
	first := t.Log.Len()
	if err := subscribeAll(ctx, c, filters); err != nil {
		return err
	}
	for i := range f.Classes {
		f.Classes[i].Commands = nil // their sender is the client with the small window
		for j := range f.Classes[i].Telemetry {
			f.Classes[i].Telemetry[j].QoS = 1
		}
	}
	l := testbed.Load{Fleet: f, For: span(f, 20*time.Second, 0.4), Blind: true}
	t.Step("%d devices send to a client with room for %d messages, which acknowledges none", f.Devices, receiveMaximum)
	r, err := played(ctx, t, "A client with room for few messages", l, showsAcks)
	if err != nil {
		return err
	}
	w := windowed{inFlight: unacknowledged(c.Packets()), fed: int(r.Totals.Counts[series.Acked])}
	if w.inFlight < receiveMaximum && c.Ended() == nil {
		return check.NotRun("have the fleet send more, or more often", "only %d messages came, fewer than there is room for", w.inFlight)
	}
	t.Step("it acknowledges")
	release(c)
	_, _ = c.AwaitMessages(ctx, 60*time.Second, w.fed) // what came counts
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.all = len(c.Messages())
	if end := c.Ended(); end != nil {
		w.ended = end.By
	}
	t.Measure("messages in flight", float64(w.inFlight), "", fmt.Sprintf("<= %d", receiveMaximum))
	for _, found := range judgeWindow(w) {
		found.Evidence = check.Range(first, t.Log.Len()-1, "the client with the small window")
		t.Find(found)
	}
	return nil
}

func judgeWindow(w windowed) []check.Finding {
	var found []check.Finding
	if w.inFlight > receiveMaximum {
		found = append(found, check.Finding{
			Title: "Sends more messages than its client has room for",
			Seen:  fmt.Sprintf("%d messages of QoS 1 before the first acknowledgement, with a Receive Maximum of %d", w.inFlight, receiveMaximum),
		})
	}
	switch {
	case w.ended != "":
		found = append(found, check.Finding{
			Title: "Ends the connection of a client whose window is full",
			Seen:  fmt.Sprintf("%s after %d messages; %d had been acknowledged to their senders", w.ended, w.all, w.fed),
		})
	case w.all < w.fed:
		found = append(found, check.Finding{
			Title: "Loses what waits for room in the window of a client",
			Seen:  fmt.Sprintf("%d of %d messages came within 60 s of its acknowledging", w.all, w.fed),
		})
	}
	return found
}

// unacknowledged is how many messages of QoS 1 are among packets to a client that acknowledges none.
func unacknowledged(packets []client.Received) (n int) {
	for _, p := range packets {
		if p.Type == mqtt.PUBLISH && p.QoS == 1 {
			n++
		}
	}
	return n
}
