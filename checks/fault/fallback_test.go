package fault

import (
	"slices"
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func retained(topic, payload string) evidence.Event {
	return evidence.Event{Kind: evidence.In, Data: &mqtt.Packet{Type: mqtt.PUBLISH, Retain: true, Topic: topic, Payload: []byte(payload)}}
}

func TestFallback(t *testing.T) {
	first := stateAfter([]evidence.Event{retained("s", `{"target":20,"on":{"fan":false},"n":0}`), retained("t", `{"x":1}`)}, "t")
	if len(first) != 3 {
		t.Errorf("first state: %v", first)
	}
	good := stateAfter([]evidence.Event{retained("s", `{"target":0.5,"on":{"fan":true},"n":1}`)}, "")
	for _, tc := range []struct {
		name, payload string
		want          []string
	}{
		{"kept", `{"target":0.5,"on":{"fan":true},"n":2}`, nil},
		{"given up", `{"target":20,"on":{"fan":true},"n":2}`, []string{"s target"}},
		{"all given up", `{"target":20,"on":{"fan":false},"n":0}`, []string{"s n", "s on fan", "s target"}},
		{"something else", `{"target":99}`, nil},
		{"not JSON", `online`, nil},
	} {
		if got := fallback(first, good, stateAfter([]evidence.Event{retained("s", tc.payload)}, "")); !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestJudgeFallback(t *testing.T) {
	fell := rejected{bad: bad{grade: check.Blocker}, fell: []string{"s target"}}
	compare(t, "three times", judgeFallback([]rejected{fell, fell, fell}, rejected{}), "Gives up its state over a command that it rejects", check.Major)
	compare(t, "twice", judgeFallback([]rejected{fell, fell}, rejected{}), "", "")
	compare(t, "by itself as well", judgeFallback([]rejected{fell, fell, fell}, rejected{fell: fell.fell}), "", "")
}
