package telemetry

import (
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func TestRate(t *testing.T) {
	publish := func(topic string, dup bool) evidence.Event {
		return evidence.Event{Kind: evidence.In, Data: &mqtt.Packet{Type: mqtt.PUBLISH, Topic: topic, Dup: dup}}
	}
	for _, tc := range []struct {
		name   string
		events []evidence.Event
		want   int // findings
	}{
		{"nothing", nil, 0},
		{"within", []evidence.Event{publish("t", false), publish("t", false)}, 0},
		{"above", []evidence.Event{publish("t", false), publish("t", false), publish("t", false)}, 1},
		{"repetitions", []evidence.Event{publish("t", false), publish("t", true), publish("t", true)}, 0},
		{"status", []evidence.Event{
			publish("s", false), publish("s", false), publish("s", false), publish("s", false), publish("s", false), publish("s", false), publish("s", false),
		}, 2},
	} {
		var r rate
		for _, e := range tc.events {
			r.add(e, "s")
		}
		if got := judgeRate(r, 2); len(got) != tc.want {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
}
