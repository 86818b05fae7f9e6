package fault

import (
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
)

func TestPlaces(t *testing.T) {
	if got := places([]int{0, 4, 9}); got != "1, 5, 10" {
		t.Errorf("places = %q", got)
	}
}

func TestJudgeOrder(t *testing.T) {
	for letters, want := range map[string]string{
		"abc":   "",
		"aabbc": "",
		"abbc":  "",
		"acb":   "Carries commands out in another order",
		"ab":    "Loses commands that come one behind the other",
		"abcb":  "Ends with another command than the last",
	} {
		t.Run(letters, func(t *testing.T) {
			var shows []func(evidence.Event) bool
			for _, token := range []string{"a", "b", "c"} {
				shows = append(shows, func(e evidence.Event) bool { return e.Text == token })
			}
			var events []evidence.Event
			for i, l := range letters {
				events = append(events, evidence.Event{N: i, Text: string(l)})
			}
			got := ""
			for _, f := range judgeOrder(shows, events, 0) {
				got += f.Title
			}
			if got != want {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

func TestJudgeDuplicate(t *testing.T) {
	for effects, want := range []int{0, 0, 1, 1} {
		if got := len(judgeDuplicate("a", effects, 0, 0)); got != want {
			t.Errorf("%d effects: %d findings, want %d", effects, got, want)
		}
	}
}
