package scenario

import (
	"context"
	"errors"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestTenAndTwentySeven(t *testing.T) {
	for v, want := range map[mqtt.Version]int{mqtt.V311: 10, mqtt.V5: 27} {
		names := map[string]bool{}
		for _, s := range Of(v) {
			names[s.Name] = true
		}
		if len(names) != want || len(Of(v)) != want {
			t.Errorf("%d scenarios with %d names for MQTT %s, want %d", len(Of(v)), len(names), v, want)
		}
	}
}

func TestOutcomes(t *testing.T) {
	clk := clock.New(1)
	s := &Stage{Log: evidence.NewLog(clk.Now, nil, false), Clock: clk}
	ends := map[string]error{"held": nil, "broke": broke("QoS %d", 1), "not offered": lacks("retain"), "could not be played": errors.New("down")}
	var list []Scenario
	for name, err := range ends {
		list = append(list, Scenario{name, func(context.Context, *Stage) error { return err }})
	}
	got, err := Play(t.Context(), s, list)
	if err != nil || len(got) != len(ends) {
		t.Fatalf("%v, %v", got, err)
	}
	for _, v := range got {
		if string(v.Outcome) != v.Name || (v.Why == "") != (v.Outcome == Held) {
			t.Errorf("%q ended as %q: %s", v.Name, v.Outcome, v.Why)
		}
	}
}
