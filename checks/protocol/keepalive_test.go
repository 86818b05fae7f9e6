package protocol

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/check"
)

// titles are the titles of findings with their severities, where they are not the check's own.
func titles(found []check.Finding) []string {
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

func TestJudgeKeepaliveValue(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		k, declared time.Duration
		want        []string
	}{
		{30 * s, 0, nil},
		{30 * s, 30 * s, nil},
		{240 * s, 0, nil},
		{1 * s, 0, nil},
		{241 * s, 0, []string{"minor: Asks for a keep-alive longer than many NATs remember"}},
		{1200 * s, 0, []string{"minor: Asks for a keep-alive longer than many NATs remember"}},
		{1201 * s, 0, []string{"Asks for a keep-alive longer than any NAT remembers"}},
		{0, 0, []string{"Switches keep-alive off"}},
		{0, 30 * s, []string{"Switches keep-alive off", "minor: Asks for another keep-alive than declared"}},
		{60 * s, 30 * s, []string{"minor: Asks for another keep-alive than declared"}},
	} {
		if diff := cmp.Diff(c.want, titles(judgeKeepaliveValue(c.k, c.declared))); diff != "" {
			t.Errorf("keep-alive %s, declared %s: -want +got\n%s", c.k, c.declared, diff)
		}
	}
}

func TestJudgePause(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		pause, grace time.Duration
		want         []string
	}{
		{0, s, nil},
		{10 * s, s, nil},
		{11 * s, s, nil}, // mosquitto looks once a second
		{11*s + time.Millisecond, s, []string{"minor: Pings later than its keep-alive demands"}},
		{12 * s, 2500 * time.Millisecond, nil},
		{15*s - 1, s, []string{"minor: Pings later than its keep-alive demands"}},
		{15 * s, s, []string{"Is silent until a server cuts it off"}},
	} {
		if diff := cmp.Diff(c.want, titles(judgePause(pauses{longest: c.pause, grace: c.grace}, 10*s, "its keep-alive"))); diff != "" {
			t.Errorf("pause %s: -want +got\n%s", c.pause, diff)
		}
	}
}
