package fault

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// graded are the titles of findings with their severities, where they are not the check's own.
func graded(found []check.Finding) []string {
	var list []string
	for _, f := range found {
		title := f.Title
		if f.Severity != "" {
			title = string(f.Severity) + ": " + title
		}
		if f.Seen == "" {
			title += " (nothing said of what was seen)"
		}
		list = append(list, title)
	}
	return list
}

func TestJudgeUnheard(t *testing.T) {
	const s = time.Second
	at := func(after time.Duration, closed, back bool) unheard {
		return unheard{keepAlive: 10 * s, good: 15 * s, still: 25 * s, closed: closed, after: after, back: back, backWithin: 60 * s}
	}
	const away = "blocker: Does not come back after a connection on which nobody answered"
	for _, c := range []struct {
		name string
		u    unheard
		want []string
	}{
		{"in time", at(15*s, true, true), nil},
		{"late", at(20*s, true, true), []string{"minor: Notices late that nobody answers any more"}},
		{"never", at(25*s, false, true), []string{"Does not notice that nobody answers any more"}},
		{"closes and stays away", at(10*s, true, false), []string{away}},
		{"never, and stays away", at(25*s, false, false), []string{"Does not notice that nobody answers any more", away}},
	} {
		if diff := cmp.Diff(c.want, graded(judgeUnheard(c.u))); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestJudgeLetter(t *testing.T) {
	const lost = "Never carries out a command that was sent when its connection was dead"
	for _, c := range []struct {
		l    letter
		want []string
	}{
		{letter{arrived: true}, nil},
		{letter{arrived: true, clean: true}, nil},
		{letter{}, []string{lost}},
		{letter{clean: true}, []string{"major: " + lost}},
	} {
		if diff := cmp.Diff(c.want, graded(judgeLetter(c.l))); diff != "" {
			t.Errorf("%+v: -want +got\n%s", c.l, diff)
		}
	}
}

func TestJudgeRestarted(t *testing.T) {
	for _, c := range []struct {
		name string
		r    restarted
		want []string
	}{
		{"recovers", restarted{back: true}, nil},
		{"stays away", restarted{}, []string{"Stays away after a restart of the broker"}},
		{"crashes", restarted{back: true, exit: "signal: aborted"}, []string{"Crashes when the broker restarts"}},
		{"deaf", restarted{back: true, unsubscribed: []string{"d/command"}}, []string{"Is connected without its subscriptions after a restart of the broker"}},
		{"unseen", restarted{back: true, unsaid: []string{"d/state"}}, []string{"major: Does not publish again what the broker has lost"}},
	} {
		if diff := cmp.Diff(c.want, graded(judgeRestarted(c.r))); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestRetainedBy(t *testing.T) {
	publish := func(topic, payload string, retain bool) evidence.Event {
		return evidence.Event{Kind: evidence.In, Data: &mqtt.Packet{Type: mqtt.PUBLISH, Topic: topic, Payload: []byte(payload), Retain: retain}}
	}
	got := retainedBy([]evidence.Event{
		publish("status", "on", true), publish("reading", "1", false), publish("alarm", "fire", true),
		publish("alarm", "", true), publish("status", "busy", true), publish("state", "1", true),
	})
	if diff := cmp.Diff([]string{"status", "state"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestJudgeUnanswered(t *testing.T) {
	if found := judgeUnanswered(unanswered{how: "a second SUBSCRIBE"}); found != nil {
		t.Errorf("noticed: %v", found)
	}
	if diff := cmp.Diff([]string{"Waits for ever for the answer to its SUBSCRIBE"}, graded(judgeUnanswered(unanswered{}))); diff != "" {
		t.Errorf("not noticed: -want +got\n%s", diff)
	}
}

func TestJudgeRace(t *testing.T) {
	for status, want := range map[string][]string{
		"on": nil, "": nil, "off": {"Is connected, and shown by its will as gone"},
	} {
		if diff := cmp.Diff(want, graded(judgeRace("d/status", "off", status, 1, 2))); diff != "" {
			t.Errorf("retained %q: -want +got\n%s", status, diff)
		}
	}
}

func TestJudgeRetainedCommand(t *testing.T) {
	const again, loop = "Carries out a retained command again when it starts", "blocker: Does not get past a retained command"
	for _, c := range []struct {
		name string
		all  []started
		want []string
	}{
		{"once", []started{{effects: 1, connections: 1}, {connections: 1}, {connections: 1}}, nil},
		{"never", []started{{connections: 1}, {connections: 1}, {connections: 1}}, nil},
		{"each time", []started{{effects: 1, connections: 1}, {effects: 1, connections: 1}, {effects: 1, connections: 1}}, []string{again}},
		{"twice at once", []started{{effects: 2, connections: 1}, {connections: 1}}, []string{again}},
		{"loop", []started{{connections: 1}, {connections: 3}}, []string{loop}},
		{"crash", []started{{connections: 1, exits: 1}, {connections: 1, exits: 1}}, []string{loop}},
	} {
		if diff := cmp.Diff(c.want, graded(judgeRetainedCommand(c.all))); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestJudgeComeback(t *testing.T) {
	for name, c := range map[string]struct {
		f    comeback
		want []string
	}{
		"after the answer":  {comeback{said: 9, granted: 7}, nil},
		"not at all":        {comeback{granted: 7}, nil},
		"before the answer": {comeback{said: 5, granted: 7}, []string{"Calls itself online before it can be reached"}},
	} {
		if diff := cmp.Diff(c.want, graded(judgeComeback(c.f))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	if found := judgeOverdue(0, 1, 2); found != nil {
		t.Errorf("no effect: %v", found)
	}
	if diff := cmp.Diff([]string{"Carries out a command whose time is over"}, graded(judgeOverdue(1, 1, 2))); diff != "" {
		t.Errorf("an effect: -want +got\n%s", diff)
	}
}
