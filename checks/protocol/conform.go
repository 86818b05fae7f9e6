package protocol

import (
	"context"
	"strings"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/scenario"
)

// conform plays the scenarios of a version.
func conform(ctx context.Context, t *check.T, v mqtt.Version) error {
	room, err := t.Room(ctx, 2)
	if err != nil {
		return err
	}
	verdicts, err := scenario.Play(ctx, room.Stage(v), scenario.Of(v))
	if err != nil {
		return err
	}
	held := 0
	var unplayed []string
	for _, d := range verdicts {
		switch d.Outcome {
		case scenario.Held:
			held++
		case scenario.NotOffered:
			t.Record("scenario %q: not offered: %s", d.Name, d.Why)
		case scenario.Unplayed:
			unplayed = append(unplayed, d.Name+": "+d.Why)
		}
	}
	t.Measure("scenarios that hold", float64(held), "of "+v.String(), "")
	t.Find(judgeConformance(v, verdicts)...)
	if len(unplayed) > 0 {
		return check.NotRun("see the events of the scenario in the evidence", "could not be played: %s", strings.Join(unplayed, "; "))
	}
	return nil
}

// judgeConformance makes a finding of each scenario that broke.
func judgeConformance(v mqtt.Version, verdicts []scenario.Verdict) []check.Finding {
	var found []check.Finding
	for _, d := range verdicts {
		if d.Outcome == scenario.Broke {
			found = append(found, check.Finding{
				Title:    "Fails the scenario " + d.Name + " of MQTT " + v.String(),
				Seen:     d.Why,
				Evidence: check.Range(d.First, d.Last, "the scenario "+d.Name),
			})
		}
	}
	return found
}
