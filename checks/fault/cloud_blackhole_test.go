package fault

import (
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/testbed"
)

func TestJudgeSwallowed(t *testing.T) {
	answers := testbed.Probe{Health: testbed.Answers}
	for name, c := range map[string]struct {
		seen swallowed
		want string
	}{
		"works on":          {swallowed{probe: answers}, ""},
		"came back":         {swallowed{probe: testbed.Probe{Health: testbed.CameBack}}, ""},
		"stays away":        {swallowed{probe: testbed.Probe{Health: testbed.StaysAway}}, "Stays away after two minutes in which every packet to its cloud was lost"},
		"deaf":              {swallowed{probe: testbed.Probe{Health: testbed.Deaf}}, "Is deaf after two minutes in which every packet to its cloud was lost"},
		"crashed, and back": {swallowed{probe: answers, exits: 2, exit: "signal: segmentation fault"}, "Crashes while its cloud is out of reach"},
		"restarted":         {swallowed{probe: answers, exits: 1, exit: "exit status 1"}, "Exits while its cloud is out of reach"},
		"silent at home":    {swallowed{probe: answers, silent: []string{"tcp/443 after 60 s"}}, "Does not answer in its home while its cloud is out of reach"},
		"both": {
			swallowed{probe: answers, exits: 1, exit: "exit status 1", silent: []string{"tcp/443 after 60 s"}},
			"Exits while its cloud is out of reach, Does not answer in its home while its cloud is out of reach",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var titles []string
			for _, f := range judgeSwallowed(c.seen) {
				titles = append(titles, f.Title)
			}
			if got := strings.Join(titles, ", "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}
