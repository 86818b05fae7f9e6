package telemetry

import (
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// sent is a publication with QoS 1 on connection 1.
func sent(n int, id uint16, payload string, dup bool) testbed.Publication {
	return testbed.Publication{N: n, Conn: 1, Packet: &mqtt.Packet{Type: mqtt.PUBLISH, QoS: 1, ID: id, Topic: "t", Payload: []byte(payload), Dup: dup}}
}

// titles joins what was found, with severities that are not the check's own.
func titles(found []check.Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, strings.TrimPrefix(string(f.Severity)+": "+f.Title, ": "))
	}
	return strings.Join(all, "; ")
}

func TestJudgeUnacknowledged(t *testing.T) {
	a, b := sent(1, 7, "a", false), sent(2, 8, "b", false)
	for name, c := range map[string]struct {
		f    unacknowledged
		want string
	}{
		"nothing sent":          {unacknowledged{}, ""},
		"all again":             {unacknowledged{version: mqtt.V5, resumed: true, before: []testbed.Publication{a, b}, after: []testbed.Publication{sent(9, 7, "a", true), sent(10, 8, "b", true)}}, ""},
		"one lost":              {unacknowledged{version: mqtt.V5, resumed: true, before: []testbed.Publication{a, b}, after: []testbed.Publication{sent(9, 7, "a", true)}}, "blocker: Loses messages that were not acknowledged"},
		"lost with the session": {unacknowledged{version: mqtt.V5, before: []testbed.Publication{a}}, "major: Loses messages that were not acknowledged"},
		"anew in a new session": {unacknowledged{version: mqtt.V5, before: []testbed.Publication{a}, after: []testbed.Publication{sent(9, 1, "a", false)}}, ""},
		"without DUP":           {unacknowledged{version: mqtt.V311, resumed: true, before: []testbed.Publication{a}, after: []testbed.Publication{sent(9, 7, "a", false)}}, "major: Sends again without DUP"},
		"another id":            {unacknowledged{version: mqtt.V311, resumed: true, before: []testbed.Publication{a}, after: []testbed.Publication{sent(9, 9, "a", true)}}, "major: Sends again under another packet id"},
		"by timer, 5.0":         {unacknowledged{version: mqtt.V5, resumed: true, before: []testbed.Publication{a, sent(3, 7, "a", true)}, after: []testbed.Publication{sent(9, 7, "a", true)}}, "major: Sends again on the same connection"},
		"by timer, 3.1.1":       {unacknowledged{version: mqtt.V311, resumed: true, before: []testbed.Publication{a, sent(3, 7, "a", true)}, after: []testbed.Publication{sent(9, 7, "a", true)}}, ""},
		"by timer, no DUP":      {unacknowledged{version: mqtt.V311, resumed: true, before: []testbed.Publication{a, sent(3, 7, "a", false)}, after: []testbed.Publication{sent(9, 7, "a", true)}}, "major: Sends again without DUP"},
		"alike, not repeated":   {unacknowledged{version: mqtt.V5, resumed: true, before: []testbed.Publication{a, sent(3, 8, "a", false)}, after: []testbed.Publication{sent(9, 7, "a", true), sent(10, 8, "a", true)}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := titles(judgeUnacknowledged(c.f)); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeLate(t *testing.T) {
	a := sent(1, 7, "a", false)
	for name, c := range map[string]struct {
		f    late
		want string
	}{
		"nothing sent": {late{}, ""},
		"once":         {late{version: mqtt.V5, sent: []testbed.Publication{a, sent(2, 8, "b", false)}}, ""},
		"again, 5.0":   {late{version: mqtt.V5, sent: []testbed.Publication{a, sent(2, 7, "a", true)}}, "Sends a message again because its acknowledgement is slow"},
		"again, 3.1.1": {late{version: mqtt.V311, sent: []testbed.Publication{a, sent(2, 7, "a", true)}}, "minor: Sends a message again because its acknowledgement is slow"},
		"without DUP":  {late{version: mqtt.V311, sent: []testbed.Publication{a, sent(2, 7, "a", false)}}, "Sends a message again because its acknowledgement is slow"},
		"closes":       {late{version: mqtt.V5, sent: []testbed.Publication{a}, ended: "peer fin"}, "Gives its connection up because an acknowledgement is slow"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := titles(judgeLate(c.f)); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestUntilAcknowledged(t *testing.T) {
	events := []evidence.Event{{N: 2, Kind: evidence.Out, Data: &mqtt.Packet{Type: mqtt.PUBACK, ID: 7}}}
	all := []testbed.Publication{sent(1, 7, "a", false), sent(3, 7, "a", false), sent(4, 7, "a", true), sent(5, 8, "a", false)}
	kept := untilAcknowledged(all, events)
	if len(kept) != 3 || kept[0].N != 1 || kept[1].N != 4 || kept[2].N != 5 {
		t.Errorf("kept %v", kept)
	}
}
