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
)

// IntermittentLink cuts the link at random for random times.
var IntermittentLink = &check.Check{
	ID:    "fault.intermittent-link",
	Title: "Returns each time when its link comes and goes",
	Why: "At the edge of a Wi-Fi or in a moving car the link comes and goes all day. " +
		"A device that restarts, hangs or waits longer each time is offline for most of it, although the link was there.",
	Pass: "over 4 cuts of 2 to 10 s device time (by FIN, reset or silence), 2 to 6 s after each return: back within twice the declared " +
		"reconnect_cap (5 min when none is declared) of each healing, no exit of its process, and at most 30 connections in 60 s, the " +
		"four healthy ones among them",
	Fix:          "keep one state machine for the connection, with a timeout in every state and none without a way out; never restart because of it",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Rows:         []string{"mqtt.intermittent"},
	Sources: []string{
		"AWS IoT Device Advisor, test MQTT Intermittent Connectivity (other criterion: back after each of several cuts; no limit for the way)",
	},
	Needs:   check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:  check.Disturbs,
	Typical: 90 * time.Second,
	Limit:   3 * time.Hour,
	Run:     intermittentLink,
}

// restless is what a link that comes and goes for a minute may cost in connections. It is more than where a fault lasts, as each
// return and each first retry is in order.
const restless = 30

// absence is one time without a link, and the return after it.
type absence struct {
	how         string
	lasted      time.Duration
	back        time.Duration // from the healing; 0 when it stayed away
	stayed      bool
	first, last int
}

func intermittentLink(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	mark, limit := s.Mark, backWithin(t, 2)
	var all []absence
	for range 4 {
		if err := t.Clock.Sleep(ctx, randomly(t, 2*time.Second, 6*time.Second)); err != nil {
			return err
		}
		a, err := without(ctx, t, limit)
		if err != nil {
			return err
		}
		all = append(all, a)
		if a.stayed {
			break
		}
		t.MeasureTime("back after "+a.how, a.back, fmt.Sprintf("<= %.0f s", limit.Seconds()))
	}
	if all[len(all)-1].stayed { // the control: it can come back in this world
		after := t.Log.Len()
		if err := t.Device.Restart(ctx); err != nil {
			return err
		}
		if _, err := t.Device.NextSession(ctx, after, t.Device.ConnectWithin()*3/2); err != nil {
			return check.Offline(err)
		}
	}
	events := t.Log.Since(mark)
	t.Find(judgeIntermittent(all, exitsOf(events, t.Device.Part.Name), testbed.Attempts(events), limit)...)
	return nil
}

// without takes the link away for a while, in one of three ways.
func without(ctx context.Context, t *check.T, limit time.Duration) (absence, error) {
	away := randomly(t, 2*time.Second, 10*time.Second)
	a := absence{first: t.Log.Len()}
	var heal func()
	switch t.Rand.IntN(3) {
	case 0:
		a.how = "a cut by FIN"
		heal = t.Impair(t.Link.CloseOnAccept(false))
		t.Link.Cut(false)
	case 1:
		a.how = "a cut by reset"
		heal = t.Impair(t.Link.CloseOnAccept(true))
		t.Link.Cut(true)
	default:
		a.how = "silence" // healing it resets what was open, as a NAT does that has lost its state
		heal = t.Impair(t.Link.Blackhole())
	}
	t.Step("%s for %.1f s", a.how, away.Seconds())
	if err := t.Clock.Sleep(ctx, away); err != nil {
		return a, err
	}
	mark := t.Log.Len()
	heal()
	healed := t.Clock.Now()
	back, err := (*testbed.Session)(nil), error(testbed.ErrOffline)
	if t.Device.Part.Driver != "process" || len(exitsOf(t.Log.Since(a.first), t.Device.Part.Name)) == 0 { // else nothing starts it anew
		back, err = t.Device.NextSession(ctx, mark, limit)
	}
	a.lasted, a.last = away, t.Log.Len()-1
	switch {
	case errors.Is(err, testbed.ErrOffline):
		a.stayed = true
	case err != nil:
		return a, err
	default:
		a.back = back.Since.Sub(healed)
	}
	return a, nil
}

func randomly(t *check.T, from, to time.Duration) time.Duration {
	return from + time.Duration(t.Rand.Int64N(int64(to-from)))
}

func exitsOf(events []evidence.Event, part string) []evidence.Event {
	var exits []evidence.Event
	for _, e := range events {
		if e.Kind == evidence.Exit && e.Part == part {
			exits = append(exits, e)
		}
	}
	return exits
}

func judgeIntermittent(all []absence, exits []evidence.Event, attempts []testbed.Attempt, limit time.Duration) []check.Finding {
	var found []check.Finding
	for _, e := range exits {
		found = append(found, check.Finding{
			Title:    check.Ended(e.Text) + " when its link comes and goes",
			Expected: "it goes on running",
			Seen:     "its process ended by itself (" + e.Text + ")",
			Evidence: check.Range(all[0].first, e.N, "from the first cut to the exit"),
		})
		break
	}
	if last := all[len(all)-1]; last.stayed && len(exits) == 0 {
		found = append(found, check.Finding{
			Title:    "Stays away after " + last.how,
			Expected: fmt.Sprintf("back within %.0f s of the healing", limit.Seconds()),
			Seen:     fmt.Sprintf("cut %d of %d, for %.1f s: no accepted connection within %.0f s, but one when it was started anew", len(all), 4, last.lasted.Seconds(), limit.Seconds()),
			Evidence: check.Range(last.first, last.last, "from the cut on"),
		})
	}
	if n := fullest(attempts, time.Minute); n > restless {
		found = append(found, check.Finding{
			Title:    "Reconnects more than 30 times a minute while its link comes and goes",
			Expected: "at most 30 connections in 60 s",
			Seen:     fmt.Sprintf("%d connections in 60 s, pauses of %s", n, seconds(testbed.Gaps(attempts))),
			Evidence: check.Range(attempts[0].First, attempts[len(attempts)-1].Last, "the connections"),
		})
	}
	return found
}
