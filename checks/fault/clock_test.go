package fault

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// shownAt is messages on one connection with clocks that are ahead by so much, ten seconds apart.
func shownAt(ahead ...time.Duration) (all []testbed.Shown) {
	for i, d := range ahead {
		at := time.Unix(int64(1000+10*i), 0)
		all = append(all, testbed.Shown{Event: evidence.Event{Conn: 1, At: at}, Time: at.Add(d)})
	}
	return all
}

func TestJudgeClock(t *testing.T) {
	title := func(found []check.Finding) (s string) {
		for _, f := range found {
			s += f.Title + ";"
		}
		return s
	}
	for _, tt := range []struct {
		name, got, want string
	}{
		{"back", title(judgeJump(jumped{shown: 1, health: testbed.CameBack})), ""},
		{"kept", title(judgeJump(jumped{shown: 3, off: jump, health: testbed.Answers})), "Keeps a wrong time when its time server is right again;"},
		{"crash", title(judgeJump(jumped{exits: []string{"signal"}, health: testbed.Exited})), "Crashes when its time jumps by a year;"},
		{"deaf", title(judgeJump(jumped{health: testbed.Deaf})), "Is lost after a jump of its time;"},

		{"not taken", title(judgeBadReplies([]badReply{{fault: ntp.Short, shown: 2, off: time.Second}, {fault: ntp.ClientMode}})), ""},
		{"taken", title(judgeBadReplies([]badReply{{fault: ntp.Short, shown: 2, off: lieAhead}})), "Takes the time from a reply with this fault: 40 bytes;"},

		{"leap", title(judgeLeap(shownAt(-20*time.Second, 0, 0, -time.Second), 2)), ""},
		{"wrong", title(judgeLeap(shownAt(0, -time.Minute, 0), 2)), "Has a wrong clock when a leap second is announced;"},
		{"goes back", title(judgeLeap(shownAt(0, 0, -15*time.Second), 2)), "Shows times that go back around a leap second;"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
