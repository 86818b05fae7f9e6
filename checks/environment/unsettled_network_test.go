package environment

import (
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/link/schedule"
	"github.com/shakedown-test/shakedown/testbed"
)

func TestJudgeUnsettled(t *testing.T) {
	faults, err := schedule.Parse("3s+5s outage; 9s forget")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		health testbed.Health
		exit   string
		title  string // empty: no finding
	}{
		"answers":    {testbed.Answers, "", ""},
		"came back":  {testbed.CameBack, "", ""},
		"deaf":       {testbed.Deaf, "", "Is deaf after"},
		"stays away": {testbed.StaysAway, "", "Stays away after"},
		"crashed":    {testbed.CameBack, "signal: segmentation fault", "Crashes when"},
	} {
		t.Run(name, func(t *testing.T) {
			found := judgeUnsettled(unsettled{schedule: faults, probe: testbed.Probe{Health: c.health}, exit: c.exit, tries: 3})
			if c.title == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			if len(found) != 1 || !strings.HasPrefix(found[0].Title, c.title) || found[0].Reproduce != ` --schedule "3s+5s outage; 9s forget"` ||
				!strings.Contains(found[0].Seen, "found in 3 replays") {
				t.Errorf("found %+v", found)
			}
		})
	}
}
