package protocol

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func TestJudgeWills(t *testing.T) {
	will := func(retain bool) *mqtt.Will {
		return &mqtt.Will{Topic: "d/status", Payload: []byte("off"), Retain: retain}
	}
	birth := func(payload string, retain bool) *mqtt.Packet {
		return &mqtt.Packet{Type: mqtt.PUBLISH, Topic: "d/status", Payload: []byte(payload), Retain: retain}
	}
	for _, c := range []struct {
		name string
		f    wills
		want []string
	}{
		{"go together", wills{will: will(true), birth: birth("on", true)}, nil},
		{"neither is retained", wills{will: will(false), birth: birth("on", false)}, nil},
		{"no will", wills{}, []string{"Leaves no will"}},
		{"no birth", wills{will: will(true)}, []string{"Does not take back its will when it is back"}},
		{"birth not retained", wills{will: will(true), birth: birth("on", false)}, []string{"Retains only one of birth message and will"}},
		{"will not retained", wills{will: will(false), birth: birth("on", true)}, []string{"Retains only one of birth message and will"}},
		{"the same", wills{will: will(true), birth: birth("off", true)}, []string{"Says the same in birth message and will"}},
	} {
		if diff := cmp.Diff(c.want, titles(judgeWills(c.f))); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestJudgeRetained(t *testing.T) {
	const (
		command = "Has a message retained on a topic that it takes commands from"
		status  = "Publishes its status without retain"
		state   = "minor: Publishes its state without retain"
	)
	for _, c := range []struct {
		topic, payload string
		retain         bool
		want           []string
	}{
		{"d/state", "1", true, nil},
		{"d/state", "1", false, []string{state}},
		{"d/availability", "on", true, nil},
		{"d/availability", "on", false, []string{status}},
		{"d/temperature", "20", false, nil},
		{"d/temperature", "20", true, nil},
		{"d/command/1", "go", true, []string{command}},
		{"d/command/1", "go", false, nil},
		{"d/command/1", "", true, nil}, // takes a retained message away
		{"g/x", "go", true, []string{command}},
	} {
		p := &mqtt.Packet{Type: mqtt.PUBLISH, Topic: c.topic, Payload: []byte(c.payload), Retain: c.retain}
		e := evidence.Event{N: 3, Kind: evidence.In, Data: p}
		got := judgeRetained([]evidence.Event{e, e}, []string{"d/command/+", "$share/all/g/#"}, "d/availability")
		if diff := cmp.Diff(c.want, titles(got)); diff != "" {
			t.Errorf("%+v: -want +got\n%s", c, diff)
		}
	}
}
