package protocol

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func packet(kind evidence.Kind, conn, size int, p mqtt.Packet) evidence.Event {
	return evidence.Event{Kind: kind, Conn: conn, Size: size, Data: &p}
}

func TestSizes(t *testing.T) {
	events := []evidence.Event{
		packet(evidence.In, 1, 900, mqtt.Packet{Type: mqtt.CONNECT}),
		packet(evidence.In, 1, 40, mqtt.Packet{Type: mqtt.SUBSCRIBE}),
		packet(evidence.In, 1, 80, mqtt.Packet{Type: mqtt.PUBLISH}),
		packet(evidence.Out, 1, 800, mqtt.Packet{Type: mqtt.PUBLISH}),
	}
	if largest, other := sizes(events); largest != 80 || other != 40 {
		t.Errorf("largest %d, other %d", largest, other)
	}
	if got := judgeSizes(events, 80); len(got) != 0 {
		t.Errorf("within: %+v", got)
	}
	if got := judgeSizes(events, 79); len(got) != 1 {
		t.Errorf("above: %+v", got)
	}
}

func TestInFlight(t *testing.T) {
	publish := func(conn int, id uint16) evidence.Event {
		return packet(evidence.In, conn, 9, mqtt.Packet{Type: mqtt.PUBLISH, QoS: 1, ID: id})
	}
	ack := func(conn int, id uint16) evidence.Event {
		return packet(evidence.Out, conn, 4, mqtt.Packet{Type: mqtt.PUBACK, ID: id})
	}
	for _, tc := range []struct {
		name   string
		events []evidence.Event
		want   int
	}{
		{"one after the other", []evidence.Event{publish(1, 1), ack(1, 1), publish(1, 2), ack(1, 2)}, 1},
		{"two at a time", []evidence.Event{publish(1, 1), publish(1, 2), ack(1, 1)}, 2},
		{"the same again", []evidence.Event{publish(1, 1), publish(1, 1)}, 1},
		{"on two connections", []evidence.Event{publish(1, 1), publish(2, 2)}, 1},
		{"QoS 0", []evidence.Event{packet(evidence.In, 1, 9, mqtt.Packet{Type: mqtt.PUBLISH})}, 0},
	} {
		f := inFlight(tc.events)
		if f.most != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, f.most, tc.want)
		}
		if got := judgeInFlight(f); (len(got) > 0) != (tc.want > 1) {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
}

func TestJudgeSentAway(t *testing.T) {
	quick, slow := attempts(5, time.Millisecond), attempts(3, time.Second)
	for _, tc := range []struct {
		name     string
		f        sentAway
		title    string
		severity check.Severity
	}{
		{"backs off", sentAway{code: 0x89, attempts: slow}, "", ""},
		{"waits", sentAway{code: 0x89}, "", ""},
		{"storm", sentAway{code: 0x89, attempts: quick}, "Reconnects without a pause after DISCONNECT: server busy", ""},
		{"gone", sentAway{code: 0x8B, gone: true, patience: time.Minute}, "Stays away after DISCONNECT: server shutting down", ""},
		{"gone, no cap declared", sentAway{code: 0x8B, gone: true}, "", ""},
		{"gone for good reason", sentAway{code: 0x9B, gone: true, patience: time.Minute}, "", ""},
		{"ends", sentAway{code: 0x8B, exit: "exit status 1"}, "Exits after DISCONNECT: server shutting down", check.Blocker},
		{"ends for good reason", sentAway{code: 0x9B, exit: "exit status 1"}, "", ""},
	} {
		got := judgeSentAway(tc.f)
		if tc.title == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || tc.title == "" || !strings.HasPrefix(got[0].Title, tc.title) || got[0].Severity != tc.severity {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
}

// attempts are n connections of a second each, with pauses between them.
func attempts(n int, pause time.Duration) []testbed.Attempt {
	var all []testbed.Attempt
	for i := range n {
		opened := time.Unix(0, 0).Add(time.Duration(i) * (time.Second + pause))
		all = append(all, testbed.Attempt{Opened: opened, Closed: opened.Add(time.Second)})
	}
	return all
}

func TestWrongAliases(t *testing.T) {
	c := carrier{Packet: &mqtt.Packet{Type: mqtt.PUBLISH, Version: mqtt.V5, Topic: "t"}}
	for most, want := range map[uint32]int{0: 2, 8: 2, 65535: 1} {
		if got := wrongAliases(c, most); len(got) != want {
			t.Errorf("maximum %d: %d injections, want %d", most, len(got), want)
		}
	}
}
