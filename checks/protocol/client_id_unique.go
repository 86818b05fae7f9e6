package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// ClientIDUnique compares the client ids of two units, and of one unit before and after a restart.
var ClientIDUnique = &check.Check{
	ID:    "protocol.client-id-unique",
	Title: "Has a client id of its own in every unit, and keeps it",
	Why: "Two units with one client id throw each other out for ever, and each gets the other's commands. " +
		"A unit that takes a new id at every start loses its session and what was queued for it, and leaves a dead session behind.",
	Pass:     "the client ids of two units differ, and the id of one unit is the same in all its CONNECTs before and after a restart",
	Fix:      "make the client id from the serial number or the certificate of the unit, not from the model, and keep it",
	Severity: check.Blocker,
	Rows:     []string{"mqtt.connect.clientid-unique"},
	Sources: []string{
		"MQTT-3.1.3-2 (each client has its own identifier)",
		"AWS IoT Device Defender, audit check on conflicting MQTT client ids",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT, Can: []product.Capability{product.Restart}},
	Impact:  check.Restarts,
	Typical: 10 * time.Second,
	Limit:   15 * time.Minute,
	Run:     clientIDUnique,
}

func clientIDUnique(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	t.Step("restart it")
	mark := t.Log.Len()
	if err := t.Device.Restart(ctx); err != nil {
		return err
	}
	if _, err := t.Device.NextSession(ctx, mark, t.Device.ConnectWithin()*3/2); err != nil {
		return check.Offline(err)
	}
	ids := ids{own: clientIDs(t.Log.Since(0)), last: t.Log.Len() - 1}
	if d := t.Device.Part.Driver; d == "external" || d == "human" {
		if found := judgeClientIDs(ids); len(found) > 0 {
			t.Find(found...)
			return nil
		}
		return check.NotRun("describe the device so that a second unit can be started, as with driver: process", "there is only one unit, so ids cannot be compared")
	}
	t.Step("stop it, and start a second unit")
	if err := t.Device.Stop(ctx); err != nil {
		return err
	}
	second, err := t.Unit(2)
	if err != nil {
		return fmt.Errorf("open a second unit: %w", err)
	}
	mark = t.Log.Len()
	if err := second.Start(ctx); err != nil {
		return err
	}
	if _, err := second.NextSession(ctx, mark, second.ConnectWithin()*3/2); err != nil {
		return check.Offline(err)
	}
	ids.other, ids.last = clientIDs(t.Log.Since(mark)), t.Log.Len()-1
	t.Record("client ids of the first unit %q, of the second %q", ids.own, ids.other)
	t.Find(judgeClientIDs(ids)...)
	return nil
}

// ids are the client ids in the CONNECTs of one unit, over a restart, and of another, in order.
type ids struct {
	own, other []string
	last       int // number of the last event
}

func clientIDs(events []evidence.Event) []string {
	var all []string
	for _, a := range testbed.Attempts(events) {
		if a.Connect != nil {
			all = append(all, a.Connect.Connect.ClientID)
		}
	}
	return all
}

func judgeClientIDs(s ids) []check.Finding {
	evidence := check.Range(0, s.last, "the CONNECTs")
	for _, id := range s.own {
		switch {
		case id == "":
			return []check.Finding{{
				Severity: check.Minor,
				Title:    "Leaves its client id to the broker",
				Seen:     "a CONNECT with an empty client id: the broker gives another one to every connection, so no session is kept",
				Evidence: evidence,
			}}
		case id != s.own[0]:
			return []check.Finding{{
				Severity: check.Major,
				Title:    "Takes a new client id from connection to connection",
				Seen:     fmt.Sprintf("%q, then %q", s.own[0], id),
				Evidence: evidence,
			}}
		}
	}
	for _, id := range s.other {
		if id == s.own[0] {
			return []check.Finding{{
				Title:    "Two units have the same client id",
				Seen:     fmt.Sprintf("%q in both", id),
				Evidence: evidence,
			}}
		}
	}
	return nil
}
