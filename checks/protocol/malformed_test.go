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

func TestJudgeInjected(t *testing.T) {
	works := testbed.Probe{Health: testbed.CameBack}
	for _, tc := range []struct {
		name     string
		f        injected
		title    string // its beginning; empty: no finding
		severity check.Severity
	}{
		{"closed in time", injected{closed: time.Second, probe: works}, "", ""},
		{"passed over in 3.1.1", injected{version: mqtt.V311, closed: -1, probe: works}, "Passes over X", check.Major},
		{"passed over in 5.0", injected{version: mqtt.V5, closed: -1, probe: works}, "Passes over X", check.Minor},
		{"closed late", injected{closed: 7 * time.Second, probe: works}, "Is slow to close", check.Minor},
		{"delivered and closed", injected{closed: time.Second, delivered: true, probe: works}, "Carries out the command in X", ""},
		{"answered", injected{closed: -1, answer: "PUBACK", probe: works}, "Takes X for a good packet", ""},
		{"crashed and back", injected{closed: time.Second, crashed: true, probe: works}, "Crashes after X, and", ""},
		{"deaf", injected{closed: -1, delivered: true, probe: testbed.Probe{Health: testbed.Deaf}}, "Is deaf after X", check.Blocker},
		{"stays away", injected{closed: 1, probe: testbed.Probe{Health: testbed.StaysAway}}, "Stays away after X", check.Blocker},
		{"may pass over", injected{injection: injection{want: mayClose}, closed: -1, probe: works}, "", ""},
		{"may close", injected{injection: injection{want: mayClose}, closed: 1, probe: works}, "", ""},
		{"may not carry out", injected{injection: injection{want: mayClose}, closed: -1, delivered: true, probe: works}, "Carries out", ""},
		{"passed over as it should", injected{injection: injection{want: ignores}, closed: -1, probe: works}, "", ""},
		{"closed over nothing", injected{injection: injection{want: ignores}, closed: 1, probe: works}, "Closes the connection over X", check.Minor},
		{"no reply", injected{injection: injection{want: ignores, reply: mqtt.PUBCOMP}, closed: -1, probe: works}, "Leaves X unanswered", check.Minor},
		{"reply", injected{injection: injection{want: ignores, reply: mqtt.PUBCOMP}, closed: -1, probe: works, replied: &mqtt.Packet{}}, "", ""},
	} {
		tc.f.what = "X"
		got := judgeInjected(tc.f)
		if tc.title == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || tc.title == "" || !strings.HasPrefix(got[0].Title, tc.title) || got[0].Severity != tc.severity {
			t.Errorf("%s: %+v, want %q %q", tc.name, got, tc.title, tc.severity)
		}
	}
}

func TestObserve(t *testing.T) {
	start := time.Unix(0, 0)
	sent := evidence.Event{Conn: 3, Kind: evidence.Out, Text: "X", At: start}
	ack := &mqtt.Packet{Type: mqtt.PUBACK}
	for _, tc := range []struct {
		name   string
		event  evidence.Event
		closed time.Duration
		answer bool
	}{
		{"device closes", evidence.Event{Conn: 3, Kind: evidence.Close, Text: "peer fin", At: start.Add(2 * time.Second)}, 2 * time.Second, false},
		{"broker closes", evidence.Event{Conn: 3, Kind: evidence.Close, Text: "we fin", At: start}, -1, false},
		{"another connection closes", evidence.Event{Conn: 4, Kind: evidence.Close, Text: "peer fin", At: start}, -1, false},
		{"device disconnects", evidence.Event{Conn: 3, Kind: evidence.In, Data: &mqtt.Packet{Type: mqtt.DISCONNECT}, At: start.Add(time.Second)}, time.Second, false},
		{"device acknowledges", evidence.Event{Conn: 3, Kind: evidence.In, Data: ack}, -1, true},
		{"device acknowledges what is malformed itself", evidence.Event{Conn: 3, Kind: evidence.Bad, Data: ack}, -1, true},
	} {
		f := injected{injection: injection{what: "X", answers: func(p *mqtt.Packet) bool { return p.Type == mqtt.PUBACK }}, closed: -1}
		f.observe([]evidence.Event{sent, tc.event}, 3, carrier{})
		if f.closed != tc.closed || (f.answer != "") != tc.answer {
			t.Errorf("%s: closed %v answer %q", tc.name, f.closed, f.answer)
		}
	}
}

func TestJudgeStalled(t *testing.T) {
	works := testbed.Probe{Health: testbed.CameBack}
	for _, tc := range []struct {
		name   string
		closed time.Duration
		probe  testbed.Probe
		titles []string
	}{
		{"in time", 44 * time.Second, works, nil},
		{"late", 60 * time.Second, works, []string{"Is slow to give up X"}},
		{"never", -1, testbed.Probe{}, []string{"Is deaf after X"}},
		{"in time, for good", 44 * time.Second, testbed.Probe{Health: testbed.StaysAway}, []string{"Stays away after X"}},
	} {
		var titles []string
		for _, f := range judgeStalled(stalled{what: "X", keepAlive: 30 * time.Second, closed: tc.closed, probe: tc.probe}, time.Second) {
			titles = append(titles, f.Title)
		}
		if strings.Join(titles, "|") != strings.Join(tc.titles, "|") {
			t.Errorf("%s: %q, want %q", tc.name, titles, tc.titles)
		}
	}
}

func TestJudgeHammering(t *testing.T) {
	for _, tc := range []struct {
		pause time.Duration
		n     int
		want  int
	}{{time.Millisecond, 5, 1}, {time.Second, 5, 0}, {time.Millisecond, 2, 0}, {0, 0, 0}} {
		if got := judgeHammering(attempts(tc.n, tc.pause)); len(got) != tc.want {
			t.Errorf("%d attempts, pause %v: %+v", tc.n, tc.pause, got)
		}
	}
}

func TestPaddedLengthIsFiveBytes(t *testing.T) {
	p := &mqtt.Packet{Type: mqtt.PUBLISH, Version: mqtt.V311, Topic: "t", Payload: make([]byte, 300)}
	c := carrier{Packet: p}
	raw := padded(c)
	if len(raw) != 6+len(c.body()) || raw[5] != 0 || int(raw[1]&0x7F)|int(raw[2]&0x7F)<<7 != len(c.body()) {
		t.Errorf("% x", raw[:8])
	}
}
