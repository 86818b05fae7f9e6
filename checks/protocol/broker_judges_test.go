package protocol

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/scenario"
)

const ms = time.Millisecond

// TestBrokerJudges gives recorded facts to the judges of the broker checks.
func TestBrokerJudges(t *testing.T) {
	refused := mqtt.Packet{Type: mqtt.PUBLISH, Payload: []byte("old"), Retain: true, QoS: 1}
	full := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	swapped := []int{1, 0, 2, 3, 4, 5, 6, 7, 8, 9}
	for _, c := range []struct {
		name string
		got  []check.Finding
		want []string // titles
	}{
		{"closed in time", judgeFirstPacket(nobody{limit: time.Second, took: 900 * ms}), nil},
		{"closed late", judgeFirstPacket(nobody{limit: time.Second, took: 1100 * ms}), []string{"Is slow to close a connection that starts with nothing"}},
		{"never closed", judgeFirstPacket(nobody{sent: "a PUBLISH", limit: time.Second}), []string{"Keeps a connection that starts with a PUBLISH"}},

		{"closed at the second CONNECT", judgeSecondConnect(true, 1, 0, 1), nil},
		{"answered and closed", judgeSecondConnect(true, 2, 0, 1), []string{"Goes along with a second CONNECT"}},
		{"ignored", judgeSecondConnect(false, 1, 0, 1), []string{"Goes along with a second CONNECT"}},

		{"dropped at 1.5", judgeKeepalive(silent{keepAlive: 10 * time.Second, closed: 15 * time.Second, will: 15 * time.Second}), nil},
		{"dropped at 1.8, and slow to answer", judgeKeepalive(silent{keepAlive: 10 * time.Second, closed: 18 * time.Second, heard: 1800 * ms, will: 18 * time.Second}), nil},
		{"dropped at 1.8 on a slow machine", judgeKeepalive(silent{keepAlive: 10 * time.Second, closed: 18 * time.Second, slack: 2500 * ms, will: 18 * time.Second}), nil},
		{"dropped at 1.64", judgeKeepalive(silent{keepAlive: 10 * time.Second, closed: 16400 * ms, will: 17 * time.Second}), nil},
		{
			"dropped at 0.75", judgeKeepalive(silent{keepAlive: 10 * time.Second, closed: 7500 * ms, will: 8 * time.Second}),
			[]string{"Drops clients before their keep-alive has passed"},
		},
		{
			"dropped at 1.7, no will", judgeKeepalive(silent{keepAlive: 10 * time.Second, closed: 17 * time.Second}),
			[]string{"Is late to drop a silent client", "Does not publish the will of a client that it drops"},
		},
		{"never dropped", judgeKeepalive(silent{keepAlive: 10 * time.Second}), []string{"Never drops a silent client"}},

		{"handed over", judgeTakeover(handover{version: mqtt.V5, closed: true, told: true, code: 0x8E}), nil},
		{"3.1.1 has no code", judgeTakeover(handover{version: mqtt.V311, closed: true}), nil},
		{"closed without a word", judgeTakeover(handover{version: mqtt.V5, closed: true}), []string{"Does not tell the old connection that it was taken over"}},
		{"other code", judgeTakeover(handover{version: mqtt.V5, closed: true, told: true, code: 0x8B}), []string{"Does not tell the old connection that it was taken over"}},
		{"both stay", judgeTakeover(handover{version: mqtt.V5}), []string{"Lets two clients be connected with one id"}},
		{"second refused", judgeTakeover(handover{refused: errors.New("no")}), []string{"Refuses a client that is connected already"}},
		{"second not served", judgeTakeover(handover{closed: true, served: errors.New("no")}), []string{"Does not serve the connection that took over"}},

		{"all came", judgeResumed(resumed{present: true, came: map[byte][]int{1: full, 2: full}}), nil},
		{"session lost", judgeResumed(resumed{}), []string{"Loses the session of a client that is away"}},
		{"one lost", judgeResumed(resumed{present: true, came: map[byte][]int{1: full[1:], 2: full}}), []string{"Loses QoS 1 messages for a client that is away"}},
		{"one twice", judgeResumed(resumed{present: true, came: map[byte][]int{1: full, 2: append(slices.Clone(full), 9)}}), []string{"Sends stored QoS 2 messages twice"}},
		{"swapped", judgeResumed(resumed{present: true, came: map[byte][]int{1: swapped, 2: full}}), []string{"Sends stored QoS 1 messages in another order"}},

		{"kept", judgeExpiry(absence{expiry: 5 * time.Second, least: 3500 * ms, most: 3500 * ms, present: true}), nil},
		{"between", judgeExpiry(absence{expiry: 5 * time.Second, least: 5500 * ms, most: 5500 * ms, present: true}), nil},
		{"expired", judgeExpiry(absence{expiry: 5 * time.Second, least: 6500 * ms, most: 6500 * ms}), nil},
		{"kept too long", judgeExpiry(absence{expiry: 5 * time.Second, least: 6500 * ms, most: 6500 * ms, present: true}), []string{"Keeps a session that has expired"}},
		{"kept for nothing", judgeExpiry(absence{present: true}), []string{"Keeps a session that has expired"}},
		{"ended early", judgeExpiry(absence{expiry: 5 * time.Second, least: 3500 * ms, most: 3500 * ms}), []string{"Ends a session before it expires"}},

		{"will came", judgeWill(parting{due: true, came: 50 * ms}), nil},
		{"no will after goodbye", judgeWill(parting{}), nil},
		{"will after its delay", judgeWill(parting{due: true, delay: 1, came: 1900 * ms}), nil},
		{"will lost", judgeWill(parting{how: "a RST", due: true}), []string{"Does not publish the will after a RST"}},
		{"will late", judgeWill(parting{how: "a RST", due: true, came: 5200 * ms}), []string{"Is late with the will after a RST"}},
		{"will early", judgeWill(parting{how: "X", due: true, delay: 3, came: 100 * ms}), []string{"Publishes the will too early after X"}},
		{"will after goodbye", judgeWill(parting{came: ms}), []string{"Publishes the will of a client that said goodbye"}},

		{"retained", judgeKept(kept{want: "old", asked: 1, came: []mqtt.Packet{refused}}), nil},
		{"cleared", judgeKept(kept{}), nil},
		{"not cleared", judgeKept(kept{did: "clearing it", came: []mqtt.Packet{refused}}), []string{"Mistakes a retained message after clearing it"}},
		{"old one", judgeKept(kept{did: "X", want: "new", asked: 1, came: []mqtt.Packet{refused}}), []string{"Mistakes a retained message after X"}},
		{"QoS too high", judgeKept(kept{did: "X", want: "old", came: []mqtt.Packet{refused}}), []string{"Mistakes a retained message after X"}},
		{"without RETAIN", judgeKept(kept{did: "X", want: "a", came: []mqtt.Packet{{Payload: []byte("a")}}}), []string{"Mistakes a retained message after X"}},
		{"none", judgeKept(kept{did: "X", want: "a"}), []string{"Mistakes a retained message after X"}},

		{"no leak", judgeDollar("", 0, 1), nil},
		{"leak", judgeDollar("$SYS/x", 0, 1), []string{"Sends $-topics for a subscription to #"}},

		{"one copy", judgeOverlap([]byte{2}, 0, 1), nil},
		{"one per filter", judgeOverlap([]byte{2, 1}, 0, 1), nil},
		{"lower QoS", judgeOverlap([]byte{1}, 0, 1), []string{"Lowers the QoS where subscriptions overlap"}},
		{"three copies", judgeOverlap([]byte{2, 0, 0}, 0, 1), []string{"Multiplies a message for which subscriptions overlap"}},
		{"no copy", judgeOverlap(nil, 0, 1), []string{"Loses a message for which subscriptions overlap"}},

		{"shared", judgeShared([]int{1, 1, 1}, 0, 1), nil},
		{"not shared", judgeShared([]int{2, 1, 0}, 0, 1), []string{"Gives a message to more than one member of a shared subscription", "Loses messages to a shared subscription"}},

		{"once", judgeTwice(twice{recs: sentTimes, delivered: 1, completed: true, again: 1}), nil},
		{"twice", judgeTwice(twice{recs: sentTimes, delivered: 2, completed: true, again: 1}), []string{"Delivers a repeated QoS 2 message more than once"}},
		{"cut off", judgeTwice(twice{recs: 2, closed: "peer fin"}), []string{"Closes the connection of a client that repeats a QoS 2 message"}},
		{"lost", judgeTwice(twice{recs: sentTimes, completed: true, again: 1}), []string{"Loses a QoS 2 message that is repeated"}},
		{"not answered", judgeTwice(twice{recs: 1, delivered: 1, completed: true, again: 1}), []string{"Does not answer every repetition of a QoS 2 message"}},
		{"not completed", judgeTwice(twice{recs: sentTimes, delivered: 1}), []string{"Does not complete a QoS 2 message"}},
		{"id blocked", judgeTwice(twice{recs: sentTimes, delivered: 1, completed: true}), []string{"Does not free the packet id of a completed QoS 2 message"}},

		{"0x93", judgeFlooded(flooded{closed: true, code: 0x93}), nil},
		{"closed without a word", judgeFlooded(flooded{closed: true}), []string{"Does not say that its receive maximum was exceeded"}},
		{"refused one by one", judgeFlooded(flooded{refused: 0x97}), []string{"Refuses what exceeds its receive maximum, and does not cut off"}},
		{"all taken", judgeFlooded(flooded{}), []string{"Takes more messages in flight than its receive maximum"}},

		{"malformed: closed", judgeAftermath(aftermath{took: ms}), nil},
		{"malformed: may be ignored", judgeAftermath(aftermath{tolerable: true, answers: true}), nil},
		{"malformed: ignored", judgeAftermath(aftermath{what: "X", answers: true}), []string{"Ignores X"}},
		{"malformed: deaf", judgeAftermath(aftermath{what: "X", tolerable: true}), []string{"Is deaf after X"}},
		{"malformed: delivered", judgeAftermath(aftermath{what: "X", answers: true, delivered: true}), []string{"Delivers X to another client"}},
		{"malformed: hurts", judgeAftermath(aftermath{what: "X", took: ms, others: errors.New("no")}), []string{"Stops serving another client after X"}},

		{
			"scenarios", judgeConformance(mqtt.V5, []scenario.Verdict{{Outcome: scenario.Held}, {Outcome: scenario.NotOffered}, {Name: "basic", Outcome: scenario.Broke}}),
			[]string{"Fails the scenario basic of MQTT 5.0"},
		},
	} {
		var titles []string
		for _, f := range c.got {
			titles = append(titles, f.Title)
		}
		if !slices.Equal(titles, c.want) {
			t.Errorf("%s: %q, want %q", c.name, titles, c.want)
		}
	}
}
