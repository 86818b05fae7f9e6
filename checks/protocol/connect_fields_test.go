package protocol

import (
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

func TestJudgeConnectFields(t *testing.T) {
	if found := judgeConnectFields(evidence.Event{Kind: evidence.In, Data: &mqtt.Packet{Type: mqtt.CONNECT}}); len(found) > 0 {
		t.Errorf("found %v in a good CONNECT", found)
	}
	bad := evidence.Event{N: 3, Kind: evidence.Bad, Text: "connect flags have the reserved bit set at offset 9 [MQTT-3.1.2-3]", Hex: "1013"}
	if found := judgeConnectFields(bad); len(found) != 1 || found[0].Evidence[0].First != 3 {
		t.Errorf("found %v", found)
	}
}

func TestJudgeEarly(t *testing.T) {
	packet := func(n, conn int, kind evidence.Kind, typ mqtt.Type) evidence.Event {
		return evidence.Event{N: n, Conn: conn, Kind: kind, Data: &mqtt.Packet{Type: typ}}
	}
	const ours = 0 // the number of a Conn made here
	for name, c := range map[string]struct {
		between  []mqtt.Type
		auth     bool
		severity check.Severity // empty: no finding
	}{
		"nothing":               {nil, false, ""},
		"a publication":         {[]mqtt.Type{mqtt.PUBLISH}, false, check.Info},
		"with authentication":   {[]mqtt.Type{mqtt.AUTH, mqtt.SUBSCRIBE}, true, check.Minor},
		"AUTH and DISCONNECT":   {[]mqtt.Type{mqtt.AUTH, mqtt.DISCONNECT}, true, ""},
		"only after the answer": {[]mqtt.Type{0}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			events := []evidence.Event{packet(0, ours, evidence.In, mqtt.CONNECT), packet(1, 7, evidence.In, mqtt.PUBLISH)}
			for _, typ := range c.between {
				if typ != 0 {
					events = append(events, packet(len(events), ours, evidence.In, typ))
				}
			}
			s := &testbed.Session{Conn: &broker.Conn{}, Connect: &mqtt.Packet{Type: mqtt.CONNECT}, Mark: len(events)}
			if c.auth {
				s.Connect.Props = mqtt.Properties{{ID: mqtt.AuthMethod, Text: "SCRAM"}}
			}
			events = append(events, packet(s.Mark, ours, evidence.Out, mqtt.CONNACK), packet(s.Mark+1, ours, evidence.In, mqtt.PUBLISH))
			found := judgeEarly(events, s)
			if c.severity == "" && len(found) > 0 || c.severity != "" && (len(found) != 1 || found[0].Severity != c.severity) {
				t.Errorf("found %v, want %q", found, c.severity)
			}
		})
	}
}
