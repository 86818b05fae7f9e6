package expiry

import (
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/firmware/app"
)

func TestJudgeProfile(t *testing.T) {
	launch := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	until := launch.AddDate(2, 0, 0)
	for name, c := range map[string]struct {
		p    app.Profile
		want []check.Severity
	}{
		"store":                        {app.Profile{Expires: launch.AddDate(0, 1, 0)}, nil},
		"store, over":                  {app.Profile{Expires: launch.AddDate(0, -1, 0)}, []check.Severity{check.Minor}},
		"organisation, over":           {app.Profile{AllDevices: true, Expires: launch.AddDate(0, -1, 0)}, []check.Severity{check.Blocker}},
		"organisation, during support": {app.Profile{AllDevices: true, Expires: launch.AddDate(1, 0, 0)}, []check.Severity{""}},
		"devices, during support":      {app.Profile{Devices: 3, Expires: launch.AddDate(1, 0, 0)}, []check.Severity{""}},
		"organisation, after":          {app.Profile{AllDevices: true, Expires: until.AddDate(0, 0, 1)}, nil},
	} {
		got := judgeProfile("a.b", &c.p, launch, until)
		if len(got) != len(c.want) || len(got) > 0 && got[0].Severity != c.want[0] {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestJudgeAppPins(t *testing.T) {
	launch := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		d       app.Domain
		applies bool
		want    int
	}{
		"none":      {app.Domain{}, false, 0},
		"two":       {app.Domain{Pins: 2, PinsUntil: launch.AddDate(1, 0, 0)}, true, 0},
		"two, ever": {app.Domain{Pins: 2}, true, 0},
		"one":       {app.Domain{Pins: 1}, true, 1},
		"over":      {app.Domain{Pins: 2, PinsUntil: launch.AddDate(0, 0, -1)}, true, 1},
	} {
		applies, got := judgeAppPins([]app.Domain{c.d}, launch)
		if applies != c.applies || len(got) != c.want {
			t.Errorf("%s: %t, %+v", name, applies, got)
		}
	}
}
