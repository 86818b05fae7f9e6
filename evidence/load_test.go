package evidence

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever text of a load has a secret, it is blanked, and the load that was given keeps it.
func TestLoadIsRedacted(t *testing.T) {
	const secret = "hunter22hunter22"
	text := "password=" + secret
	class := []LoadClass{{Name: text, Count: 1}}
	l := Load{
		Title: text, Target: "mqtt://fleet:" + secret + "@broker:1883", Invalid: text, OneWay: text, Errors: class, Answers: class,
		Points: []LoadPoint{{Errors: class, Answers: class}}, Outages: []LoadOutage{{Cause: text}}, Limits: []LoadLimit{{Limit: "lost = 0", Seen: text}},
		Notes: []string{text}, Capacity: LoadCapacity{Note: text, Steps: []LoadStep{{Seen: text}}},
	}
	before, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	r := Result{Loads: []Load{l}}.Redacted()
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), secret) {
		t.Errorf("a secret stays: %s", out)
	}
	if r.Loads[0].Limits[0].Limit != "lost = 0" {
		t.Error("the limit is gone")
	}
	if after, _ := json.Marshal(l); string(after) != string(before) {
		t.Error("the load that was given has changed")
	}
}
