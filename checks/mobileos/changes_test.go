package mobileos

import (
	"strings"
	"testing"
	"time"
)

func TestTablesAreComplete(t *testing.T) {
	seen := map[string]bool{}
	var last Change
	for _, c := range Changes() {
		if seen[c.OS+c.Topic] {
			t.Errorf("%s %s stands there twice", c.OS, c.Topic)
		}
		seen[c.OS+c.Topic] = true
		if c.What == "" || !strings.Contains(c.Source, "/") || c.Level.Major < 10 {
			t.Errorf("%+v lacks something", c)
		}
		if c.OS == last.OS && c.Released.Before(last.Released) {
			t.Errorf("%s comes before %s", last, c)
		}
		last = c
	}
	for i, d := range Deadlines()[1:] {
		before := Deadlines()[i]
		if d.Store == before.Store && (!d.From.After(before.From) || d.Level <= before.Level) {
			t.Errorf("%+v is no step after %+v", d, before)
		}
	}
}

func TestDeadlines(t *testing.T) {
	for _, c := range []struct {
		store, on string
		has, want int
		severity  string
	}{
		{"Google Play", "2026-08-30", 35, 0, ""},
		{"Google Play", "2026-08-31", 35, 1, ""},
		{"Google Play", "2027-03-01", 36, 0, ""},
		{"Google Play", "2027-09-01", 36, 1, "major"},
		{"Google Play", "2017-01-01", 19, 0, ""},
		{"App Store", "2026-04-27", 18, 0, ""},
		{"App Store", "2026-04-28", 18, 1, ""},
	} {
		on, _ := time.Parse(time.DateOnly, c.on)
		got := late(c.store, "level", c.has, on)
		if len(got) != c.want || c.want > 0 && string(got[0].Severity) != c.severity {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
