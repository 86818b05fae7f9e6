package environment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/schedule"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

const (
	unsettledFaults = 4                // that are drawn, beside a router that forgets
	unsettledFor    = 40 * time.Second // in which they are over
)

// UnsettledNetwork lets several faults of the network happen at once and one after the other.
var UnsettledNetwork = &check.Check{
	ID:    "environment.unsettled-network",
	Title: "Is back after a minute in which its network fails in several ways",
	Why: "Faults of a network do not come one at a time: a router that restarts loses its mappings, the air is busy, and the address changes. " +
		"Devices that survive each fault alone hang in the combination, until somebody pulls the plug.",
	Pass: "after 5 faults of the network within 40 s (outage, black hole, internet down, loss, delay, low rate, duplicates, reordering, corruption, " +
		"NAT mappings lost, router restarted, address changed), drawn from the seed: it answers within twice the declared reconnect_cap (5 min when " +
		"none is declared) plus twice its keep-alive, and its process does not end",
	Fix:          "replay the smallest schedule that the finding names, and look at what state the connection is in when nothing moves any more",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-2"},
	Sources:      []string{"Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002 (how the schedule is made smaller)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      100 * time.Second,
	Limit:        3 * time.Hour,
	Run:          unsettledNetwork,
}

// unsettled is a device after a schedule of faults.
type unsettled struct {
	schedule schedule.Schedule
	probe    testbed.Probe
	exit     string
	limit    time.Duration
	first    int
	last     int
	tries    int // replays that it took to make the schedule as small as it is; 0: none was made
}

func unsettledNetwork(ctx context.Context, t *check.T) error {
	faults := t.Schedule
	if faults == nil {
		faults = append(schedule.Draw(t.Rand, unsettledFaults, unsettledFor), schedule.Step{
			Kind: schedule.Forget, At: time.Duration(t.Rand.Int64N(int64(unsettledFor))).Round(time.Second),
		})
	}
	u, err := unsettle(ctx, t, faults)
	if err != nil {
		return err
	}
	t.MeasureTime("answers after the faults", u.probe.Took, fmt.Sprintf("<= %.0f s", u.limit.Seconds()))
	if len(judgeUnsettled(u)) == 0 {
		return nil
	}
	worst := u
	smallest, tries, err := schedule.Shrink(ctx, faults, t.Shrink, func(ctx context.Context, s schedule.Schedule) (bool, error) {
		again, err := unsettle(ctx, t, s)
		if err != nil {
			return false, err
		}
		if len(judgeUnsettled(again)) > 0 {
			worst = again
			return true, nil
		}
		return false, nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	worst.schedule, worst.tries = smallest, tries
	t.Find(judgeUnsettled(worst)...)
	return err
}

// unsettle starts the device anew, carries the schedule out and asks whether the device still works.
func unsettle(ctx context.Context, t *check.T, faults schedule.Schedule) (unsettled, error) {
	u := unsettled{schedule: faults, limit: 5 * time.Minute}
	if t.Device.Has("reconnect_cap") {
		u.limit = 2 * t.Device.Cap()
	}
	if err := t.Device.Fresh(ctx); err != nil {
		return u, err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return u, err
	}
	u.limit += 2 * s.KeepAlive()
	u.first = t.Log.Len()
	t.Step("%s", faults)
	if err := faults.Run(ctx, t.Clock, schedule.Place{World: t.World, Home: t.World.Home(), Access: t.Access}); err != nil {
		return u, err
	}
	t.Step("the faults are over: ask it for something")
	if live := t.Device.Live(); live != nil {
		s = live
	} else if s, err = t.Device.NextSession(ctx, t.Log.Len(), u.limit); errors.Is(err, testbed.ErrOffline) {
		u.probe = testbed.Probe{Health: testbed.StaysAway, ClosedBy: "as the log shows", Took: u.limit}
	}
	if err == nil {
		u.probe, err = t.Device.Probe(ctx, s, t.Log.Len(), u.limit)
	} else if errors.Is(err, testbed.ErrOffline) {
		err = nil // it stays away
	}
	u.last = t.Log.Len() - 1
	for _, e := range t.Log.Since(u.first) {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			u.exit = e.Text
		}
	}
	return u, err
}

func judgeUnsettled(u unsettled) []check.Finding {
	var found []check.Finding
	if u.exit != "" {
		found = append(found, check.Finding{
			Title:    check.Ended(u.exit) + " when its network fails in several ways",
			Expected: "it goes on running",
			Seen:     fmt.Sprintf("its process ended by itself (%s)", u.exit),
		})
	} else {
		found = check.Alive(u.probe, "a minute in which its network fails in several ways")
	}
	for i := range found {
		found[i].Seen += fmt.Sprintf("; the faults: %s", u.schedule)
		if u.tries > 0 {
			found[i].Seen += fmt.Sprintf(" (the smallest schedule that brings it about, found in %d replays)", u.tries)
		}
		found[i].Reproduce = check.Replay(u.schedule)
		found[i].Evidence = check.Range(u.first, u.last, "from the first fault on")
	}
	return found
}
