package protocol

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

func TestJudgeMissing(t *testing.T) {
	if found := judgeMissing(nil, "a drop"); found != nil {
		t.Errorf("nothing missing: %v", found)
	}
	if diff := cmp.Diff([]string{"Is connected without its subscriptions after a drop"}, titles(judgeMissing([]string{"a/b"}, "a drop"))); diff != "" {
		t.Errorf("one missing: -want +got\n%s", diff)
	}
}

func TestJudgePickedUp(t *testing.T) {
	const deaf, again = "Does not acknowledge a message that was kept for it", "minor: Subscribes again although the broker kept its session"
	for _, c := range []struct {
		f    pickedUp
		want []string
	}{
		{pickedUp{sent: 3, acked: 4}, nil},
		{pickedUp{sent: 3}, []string{deaf}},
		{pickedUp{sent: 3, acked: 5, again: 4}, []string{again}},
		{pickedUp{sent: 3, again: 4}, []string{deaf, again}},
	} {
		if diff := cmp.Diff(c.want, titles(judgePickedUp(c.f))); diff != "" {
			t.Errorf("%+v: -want +got\n%s", c.f, diff)
		}
	}
}

func TestJudgeCleanFlag(t *testing.T) {
	lost := []string{"Loses every command that comes while it sleeps"}
	for _, c := range []struct {
		clean  bool
		expiry time.Duration
		asked  string
		want   []string
	}{
		{false, time.Hour, "", nil},
		{false, 0, "", lost},
		{true, 0, "", lost},
		{true, time.Hour, "", lost}, // 5.0: kept, but thrown away at the next connection
		{true, 0, "$aws/things/x/shadow/get", nil},
	} {
		if diff := cmp.Diff(c.want, titles(judgeCleanFlag(c.clean, c.expiry, c.asked, 5))); diff != "" {
			t.Errorf("%+v: -want +got\n%s", c, diff)
		}
	}
}

func TestReadsState(t *testing.T) {
	for topic, want := range map[string]bool{
		"$aws/things/pump/shadow/get":           true,
		"$aws/things/pump/shadow/name/main/get": true,
		"$iothub/twin/GET/?$rid=1":              true,
		"v1/devices/me/attributes/request/1":    true,
		"pump/state":                            false,
		"pump/target":                           false,
	} {
		if readsState(topic) != want {
			t.Errorf("%s: %t", topic, !want)
		}
	}
}

func TestJudgeGoodbye(t *testing.T) {
	disconnect := func(n int, code byte) evidence.Event {
		return evidence.Event{N: n, Conn: 2, Kind: evidence.In, Data: &mqtt.Packet{Type: mqtt.DISCONNECT, Code: code}}
	}
	will := evidence.Event{N: 9, Kind: evidence.Seen, Data: &mqtt.Packet{Type: mqtt.PUBLISH}}
	other := disconnect(7, 0)
	other.Conn = 3
	for _, c := range []struct {
		name   string
		events []evidence.Event
		want   []string
	}{
		{"in order", []evidence.Event{disconnect(7, 0)}, nil},
		{"asks for its will", []evidence.Event{disconnect(7, 4), will}, nil},
		{"nothing", nil, []string{"Leaves without DISCONNECT"}},
		{"another connection's", []evidence.Event{other}, []string{"Leaves without DISCONNECT"}},
		{"will", []evidence.Event{will}, []string{"Leaves without DISCONNECT, so that its will says that it failed"}},
		{"error code", []evidence.Event{disconnect(7, 0x81), will}, []string{"Has its will published at an ordered stop"}},
	} {
		if diff := cmp.Diff(c.want, titles(judgeGoodbye(c.events, 2, 8))); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestJudgeRefusedSubscription(t *testing.T) {
	if found := judgeRefusedSubscription("it closed the connection", 1, 2); found != nil {
		t.Errorf("with a sign: %v", found)
	}
	if diff := cmp.Diff([]string{"Takes no notice of a refused subscription"}, titles(judgeRefusedSubscription("", 1, 2))); diff != "" {
		t.Errorf("without: -want +got\n%s", diff)
	}
}

func TestJudgeDowngraded(t *testing.T) {
	unserved := judgeUnserved(1, 2)
	if diff := cmp.Diff([]string{"Takes no commands with a lower QoS than it asked for"}, titles(judgeDowngraded(testbed.Probe{Health: testbed.Answers}, unserved))); diff != "" {
		t.Errorf("alive: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"blocker: Is deaf after a SUBACK with QoS 0 for QoS 1"}, titles(judgeDowngraded(testbed.Probe{Health: testbed.Deaf}, unserved))); diff != "" {
		t.Errorf("deaf: -want +got\n%s", diff)
	}
}
