package fault

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
)

func TestRenumbered(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		found    bool
	}{
		{`{"a":-1.5e3,"b":[2,"3\"4"]}`, `{"a":NaN,"b":[NaN,"3\"4"]}`, true},
		{`{"a":"1"}`, `{"a":"1"}`, false},
		{``, ``, false},
	} {
		got, found := renumbered([]byte(tc.in), "NaN")
		if string(got) != tc.want || found != tc.found {
			t.Errorf("%s: %s %v", tc.in, got, found)
		}
	}
}

func TestWidened(t *testing.T) {
	got, ok := widened([]byte(` {"a":1} `), 50)
	var fields map[string]int
	if !ok || len(got) != 50 || json.Unmarshal(got, &fields) != nil || fields["a"] != 1 {
		t.Errorf("%q %v", got, ok)
	}
	for _, in := range []string{`on`, `null`, `[1]`, `{"a":` + strings.Repeat("1", 60) + `}`} {
		if _, ok := widened([]byte(in), 50); ok {
			t.Errorf("%s: widened", in)
		}
	}
}

func TestBadPayloadsOfAPlainCommandHoldNothingOfIt(t *testing.T) {
	for _, b := range badPayloads([]byte("token")) {
		if strings.Contains(string(b.payload), "token") || b.grade != "" {
			t.Errorf("%s: %q %q", b.what, b.payload, b.grade)
		}
	}
}

func TestBadPayloadsAreBad(t *testing.T) {
	graded := 0
	for _, b := range badPayloads([]byte(`{"id":"token","n":5}`)) {
		if b.grade == "" {
			continue
		}
		graded++
		if !strings.Contains(string(b.payload), "token") {
			t.Errorf("%s: %q lost the token", b.what, b.payload)
		}
	}
	if graded != 7 {
		t.Errorf("%d graded payloads, want 7", graded)
	}
}

func TestJudgeRejected(t *testing.T) {
	answers, back := testbed.Probe{Health: testbed.Answers}, testbed.Probe{Health: testbed.CameBack}
	for _, tc := range []struct {
		name     string
		f        rejected
		title    string
		severity check.Severity
	}{
		{"rejected", rejected{bad: bad{grade: check.Blocker}, probe: answers}, "", ""},
		{"carried out", rejected{bad: bad{grade: check.Minor}, effect: true, probe: answers}, "Carries out a command with X", check.Minor},
		{"carried out, in order", rejected{effect: true, probe: answers}, "", ""},
		{"drops", rejected{probe: back}, "Drops its connection after X", check.Major},
		{"restarts", rejected{restarts: true, probe: back}, "Crashes after X, and starts anew", ""},
		{"deaf", rejected{probe: testbed.Probe{Health: testbed.Deaf}}, "Is deaf after X", check.Blocker},
	} {
		tc.f.what = "X"
		compare(t, tc.name, judgeRejected(tc.f), tc.title, tc.severity)
	}
}

func TestJudgeWords(t *testing.T) {
	quiet := rejected{bad: bad{grade: check.Blocker}, words: 2, probe: testbed.Probe{Health: testbed.Answers}}
	loud := quiet
	loud.words = 3
	control := rejected{words: 2}
	compare(t, "quiet", judgeWords([]rejected{quiet, quiet}, control), "Says nothing about a command that it rejects", check.Minor)
	compare(t, "loud once", judgeWords([]rejected{quiet, loud}, control), "", "")
	compare(t, "nothing to reject", judgeWords([]rejected{{words: 2}}, control), "", "")
}

func TestJudgeLarge(t *testing.T) {
	answers, back := testbed.Probe{Health: testbed.Answers}, testbed.Probe{Health: testbed.CameBack}
	for _, tc := range []struct {
		name  string
		f     large
		title string
	}{
		{"works", large{size: 9, declared: true, real: true, effect: true, probe: answers}, ""},
		{"declared, no effect", large{size: 9, declared: true, real: true, probe: answers}, "Does not carry out a command of 9 bytes, which is declared to work"},
		{"above, no effect", large{size: 9, real: true, probe: answers}, ""},
		{"above, comes back", large{size: 9, real: true, probe: back}, ""},
		{"not JSON", large{size: 9, declared: true, probe: answers}, ""},
		{"crash", large{size: 9, restarts: true, probe: back}, "Crashes after a command of 9 bytes, and starts anew"},
		{"refused above", large{size: 9, refused: true}, ""},
		{"refused though declared", large{size: 9, refused: true, declared: true}, "Announces a Maximum Packet Size below its declared max_command"},
	} {
		compare(t, tc.name, judgeLarge(tc.f), tc.title, "")
	}
}

// compare expects one finding of that title and severity, or none.
func compare(t *testing.T, name string, got []check.Finding, title string, severity check.Severity) {
	t.Helper()
	if title == "" && len(got) == 0 {
		return
	}
	if len(got) != 1 || got[0].Title != title || got[0].Severity != severity {
		t.Errorf("%s: %+v, want %q %q", name, got, title, severity)
	}
}
