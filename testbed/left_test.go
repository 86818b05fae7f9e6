package testbed

import (
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func TestLeft(t *testing.T) {
	for _, tc := range []struct {
		name  string
		event evidence.Event
		want  bool
	}{
		{"it closed", evidence.Event{Conn: 1, Kind: evidence.Close, Text: "peer fin"}, true},
		{"it reset", evidence.Event{Conn: 1, Kind: evidence.Close, Text: "peer reset"}, true},
		{"it said goodbye", evidence.Event{Conn: 1, Kind: evidence.In, Data: &mqtt.Packet{Type: mqtt.DISCONNECT}}, true},
		{"the broker said goodbye", evidence.Event{Conn: 1, Kind: evidence.Out, Data: &mqtt.Packet{Type: mqtt.DISCONNECT}}, false},
		{"the broker closed", evidence.Event{Conn: 1, Kind: evidence.Close, Text: "we fin"}, false},
		{"another connection", evidence.Event{Conn: 2, Kind: evidence.Close, Text: "peer fin"}, false},
	} {
		if _, got := Left([]evidence.Event{tc.event}, 1); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
