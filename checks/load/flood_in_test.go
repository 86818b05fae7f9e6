package load

import (
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

func TestJudgeFlooded(t *testing.T) {
	works := testbed.Probe{Health: testbed.Answers}
	for _, tc := range []struct {
		name     string
		f        flooded
		title    string
		severity check.Severity
	}{
		{"all acknowledged", flooded{qos: 1, acked: 1001, probe: works}, "", ""},
		{"QoS 0", flooded{probe: works}, "", ""},
		{"some acknowledged", flooded{qos: 1, acked: 999, probe: works}, "Does not acknowledge 1,000 messages within a minute", ""},
		{"closed", flooded{qos: 1, acked: 10, closed: true, probe: works}, "Drops its connection at 1,000 messages at once", ""},
		{"crashed", flooded{qos: 1, restarts: true, closed: true, probe: works}, "Crashes at 1,000 messages at once, and starts anew", ""},
		{"deaf", flooded{qos: 1, acked: 1000, probe: testbed.Probe{Health: testbed.Deaf}}, "Is deaf after 1,000 messages at once", check.Blocker},
	} {
		got := judgeFlooded(tc.f)
		if tc.title == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[0].Title != tc.title || got[0].Severity != tc.severity {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
}
