package environment

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
)

func TestJudgeUDP(t *testing.T) {
	long, short := udpTrial{life: longUDP, told: true}, udpTrial{life: shortUDP, told: true}
	longLost, shortLost := udpTrial{life: longUDP, dropped: 5}, udpTrial{life: shortUDP, dropped: 5}
	for name, c := range map[string]struct {
		trials []udpTrial
		want   []string
	}{
		"never quiet":      {[]udpTrial{short}, nil},
		"quiet":            {[]udpTrial{long, short}, nil},
		"lost after 30 s":  {[]udpTrial{long, shortLost}, []string{"minor: Needs a UDP mapping of more than 30 s"}},
		"lost after 120 s": {[]udpTrial{longLost}, []string{"Needs a UDP mapping of more than 2 minutes"}},
	} {
		if diff := cmp.Diff(c.want, titled(judgeUDP(c.trials))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestReachedBy(t *testing.T) {
	notified := evidence.Event{Kind: evidence.Out, Data: &coap.Message{Type: coap.CON, Code: coap.Content, ID: 7}}
	ack := func(id uint16) evidence.Event {
		return evidence.Event{Kind: evidence.In, Data: &coap.Message{Type: coap.ACK, ID: id}}
	}
	asks := func(m *coap.Message) evidence.Event {
		m.Code = coap.GET
		return evidence.Event{Kind: evidence.In, Data: m.SetPath("/settings")}
	}
	for name, c := range map[string]struct {
		events []evidence.Event
		want   bool
	}{
		"nothing":            {nil, false},
		"not acknowledged":   {[]evidence.Event{notified}, false},
		"another is":         {[]evidence.Event{notified, ack(8)}, false},
		"acknowledged":       {[]evidence.Event{notified, ack(7)}, true},
		"only asked for":     {[]evidence.Event{asks(&coap.Message{})}, false},
		"registered again":   {[]evidence.Event{asks((&coap.Message{}).AddUint(coap.Observe, 0))}, true},
		"deregistered again": {[]evidence.Event{asks((&coap.Message{}).AddUint(coap.Observe, 1))}, false},
	} {
		if got := reachedBy(c.events, "/settings"); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
