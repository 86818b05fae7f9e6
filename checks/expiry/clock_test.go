package expiry

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

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
		{"online", title(judgeTimeless(timeless{online: true, hellos: mostHellos})), ""},
		{"bytes", title(judgeTimeless(timeless{online: true, unverified: []testbed.Attempt{{Bytes: 9}}})), "Does not verify its server while it has no time;"},
		{"crash", title(judgeTimeless(timeless{exits: []string{"signal"}})), "Crashes while it has no time;"},
		{"hammer", title(judgeTimeless(timeless{online: true, hellos: 21})), "Tries TLS without a pause while it has no time;"},
		{"never asks", title(judgeTimeless(timeless{})), "Stays offline after a power-on without the time;"},
		{"never connects", title(judgeTimeless(timeless{arrived: true})), "Stays offline after a power-on without the time;"},

		{"rolled", title(judgeRolled([]rolled{{what: "2036", online: true, shown: 1}, {what: "2038", online: true}})), ""},
		{"1900", title(judgeRolled([]rolled{{what: "2036"}})), "Does not come online in 2036;"},
		{"wrong", title(judgeRolled([]rolled{{what: "2038", online: true, shown: 3, off: -time.Hour}})), "Has a wrong clock in 2038;"},
		{"dead", title(judgeRolled([]rolled{{what: "2038", online: true, exit: "signal"}})), "Crashes in 2038;"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestDensest(t *testing.T) {
	var times []time.Time
	for _, s := range []int64{0, 50, 59, 60, 61, 130} {
		times = append(times, time.Unix(s, 0))
	}
	if n := densest(times, time.Minute); n != 4 {
		t.Errorf("%d within a minute, want 4", n)
	}
	if n := densest(nil, time.Minute); n != 0 {
		t.Errorf("%d of none", n)
	}
}
