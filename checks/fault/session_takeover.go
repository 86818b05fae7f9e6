package fault

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// SessionTakeover plays a second client with the id of the device, which takes the session over whenever the device has it.
var SessionTakeover = &check.Check{
	ID:    "fault.session-takeover",
	Title: "Does not fight a second client with its id",
	Why: "Two units with one id, or an old unit and its replacement, throw each other out in turn. Measured with a widespread " +
		"client, this went on 750 times a second.",
	Pass: "at most 6 connections in 60 s while a second client takes the session over 1 s after each; back within twice the " +
		"declared reconnect_cap (5 min when none is declared) of the healing; that it reports the twin is not seen here",
	Fix: "after DISCONNECT 0x8E, or a close in the first seconds of a session, wait longer each time, a minute and more; give " +
		"every unit an id of its own",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2i", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.session.takeover"},
	Sources:      []string{"MQTT-3.1.4-2 (3.1.1)", "MQTT-3.1.4-3 (5.0)", "MQTT 5.0 section 4.13.1, reason code 0x8E"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      70 * time.Second,
	Limit:        45 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return outage{
			during: "while a second client takes its session over", running: true,
			begin:  twin,
			strike: func(t *check.T, s *testbed.Session) { t.Broker.TakeOver(s.Conn.ClientID()) },
			within: time.Minute + t.Clock.Device(250*time.Millisecond),
			enough: func(r *ordeal) bool { return fullest(r.tries(), time.Minute) > fights },
			judge:  judgeTakeover,
		}.run(ctx, t)
	},
}

// fights are the connections in a minute that are no fight.
const fights = 6

// twin is the second client. It takes each session over a second after it began.
func twin(t *check.T) (undo func(), err error) {
	var gone atomic.Bool
	heal := t.Broker.When(broker.Rule{
		Dir: broker.Out, Type: mqtt.CONNACK, Match: accepting,
		Do: broker.Then(func(c *broker.Conn) {
			t.Clock.AfterFunc(time.Second, func() {
				if !gone.Load() {
					t.Broker.TakeOver(c.ClientID())
				}
			})
		}),
	})
	return func() {
		heal()
		gone.Store(true)
	}, nil
}

func judgeTakeover(r ordeal) []check.Finding {
	n := fullest(r.tries(), time.Minute)
	if n <= fights {
		return nil
	}
	return []check.Finding{{
		Title:    "Fights a second client with its id",
		Expected: fmt.Sprintf("at most %d connections in 60 s", fights),
		Seen: fmt.Sprintf("%d connections in %.0f s, pauses of %s", n,
			r.attempts[len(r.attempts)-1].Opened.Sub(r.attempts[0].Closed).Seconds(), seconds(testbed.Gaps(r.attempts))),
		Evidence: r.evidence("the sessions and their ends"),
	}}
}
