package protocol

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

var errMissing = errors.New("no answer")

func publication(n int, id uint16, payload string) testbed.Publication {
	return testbed.Publication{
		N: n, Conn: 1, At: time.Unix(int64(n), 0),
		Packet: &mqtt.Packet{Type: mqtt.PUBLISH, QoS: 1, ID: id, Topic: "t", Payload: []byte(payload)},
	}
}

// found says in one text what was found.
func found(all []check.Finding) string {
	var titles []string
	for _, f := range all {
		titles = append(titles, strings.TrimPrefix(string(f.Severity)+": "+f.Title, ": "))
	}
	return strings.Join(titles, "; ")
}

func TestDeliveryJudges(t *testing.T) {
	alike := func(n int) (all []testbed.Publication) {
		for i := range n {
			all = append(all, publication(i, uint16(i+1), "x"))
		}
		return all
	}
	refusedWith := func(copies int, usual time.Duration) []refused {
		return []refused{{Publication: publication(0, 1, "x"), code: 0x97, copies: alike(copies), usual: usual}}
	}
	for name, c := range map[string]struct {
		got  []check.Finding
		want string
	}{
		"acknowledged":            {judgePuback(nil, time.Second, 0, 0, 0), ""},
		"acknowledged at limit":   {judgePuback(nil, 5*time.Second, time.Second, 0, 0), ""},
		"acknowledged late":       {judgePuback(nil, 7*time.Second, time.Second, 0, 0), "major: Acknowledges a QoS 1 message late"},
		"not acknowledged":        {judgePuback(errMissing, 0, 0, 0, 0), "Does not acknowledge a QoS 1 message"},
		"refused, three more":     {judgeRefused(refusedWith(4, 0), 9), ""},
		"refused, four more":      {judgeRefused(refusedWith(5, 0), 9), "Sends a refused message again and again"},
		"refused, usual pace":     {judgeRefused(refusedWith(7, 5*time.Second), 9), ""},
		"refused, endless":        {judgeRefused(refusedWith(40, 5*time.Second), 9), "Sends a refused message again and again"},
		"once":                    {judgeOnce(exactlyOnce{pubrecs: 2, effects: 1}), ""},
		"twice":                   {judgeOnce(exactlyOnce{pubrecs: 2, effects: 2}), "Carries a QoS 2 command out more than once"},
		"never":                   {judgeOnce(exactlyOnce{pubrecs: 2}), "Loses a QoS 2 command that is repeated"},
		"no PUBCOMP":              {judgeOnce(exactlyOnce{pubrecs: 2, effects: 1, missing: errMissing}), "major: Does not bring a repeated QoS 2 message to its end"},
		"resumed":                 {judgeInbound(nil, 0, 0, 0), ""},
		"forgotten":               {judgeInbound(nil, 0x92, 0, 0), "Forgets a QoS 2 exchange when the connection breaks"},
		"left open":               {judgeInbound(errMissing, 0, 0, 0), "Leaves a QoS 2 exchange open"},
		"own exchange resumed":    {judgeOutbound(&mqtt.Packet{Type: mqtt.PUBREL, ID: 3}, 3, 0, 0), ""},
		"own message again":       {judgeOutbound(&mqtt.Packet{Type: mqtt.PUBLISH, ID: 3}, 3, 0, 0), "Sends a QoS 2 message again after PUBREC"},
		"own exchange forgotten":  {judgeOutbound(nil, 3, 0, 0), "Does not take its QoS 2 exchange up again"},
		"ids of their own":        {judgeDistinctIDs(alike(5)), ""},
		"repetition":              {judgeDistinctIDs([]testbed.Publication{publication(0, 1, "x"), publication(1, 1, "x")}), ""},
		"one id for two":          {judgeDistinctIDs([]testbed.Publication{publication(0, 1, "x"), publication(1, 1, "y")}), "Uses a packet id again while it is in flight"},
		"id zero":                 {judgeZeroID([]evidence.Event{{Kind: evidence.Bad, Text: "packet id 0 at offset 4 [MQTT-2.2.1-3]"}}), "Uses packet id 0"},
		"another malformed":       {judgeZeroID([]evidence.Event{{Kind: evidence.Bad, Text: "QoS 3 at offset 0 [MQTT-3.3.1-4]"}}), ""},
		"id used again":           {judgeReuse([]bool{true, true, true}, 1, 0, 0), ""},
		"id remembered":           {judgeReuse([]bool{true, false, false}, 1, 0, 0), "Loses a message whose packet id was used before"},
		"full records":            {judgeRecordMax(true, fullMessage, 0, 0), ""},
		"full records lost":       {judgeRecordMax(false, fullMessage, 0, 0), "Loses a message in TLS records of the largest size"},
		"ticket refused, back":    {judgeResumption(nil, true, 0, 0), ""},
		"ticket refused, no more": {judgeResumption(nil, false, 0, 0), "Does not get over a refused session ticket"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := found(c.got); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestRefusedWatch(t *testing.T) {
	r := refused{Publication: publication(0, 1, "x")}
	other := publication(2, 2, "x")
	other.Packet.Topic = "u"
	r.watch([]testbed.Publication{publication(0, 1, "a"), publication(8, 2, "b"), publication(13, 3, "c"), other}, append([]testbed.Publication{other}, publication(20, 4, "x"), publication(21, 5, "y")))
	if r.usual != 5*time.Second || len(r.copies) != 1 {
		t.Errorf("usual %s, %d copies", r.usual, len(r.copies))
	}
}
