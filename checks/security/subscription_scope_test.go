package security

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWideFilters(t *testing.T) {
	for _, c := range []struct {
		name    string
		filters []string
		own     []string
		want    []string
	}{
		{"its own", []string{"d/unit-1/command", "d/unit-1/#"}, []string{"d/unit-1/command"}, nil},
		{"all units", []string{"d/+/command"}, []string{"d/unit-1/command"}, []string{"d/+/command"}},
		{"everything", []string{"#"}, nil, []string{"#"}},
		{"everything of a level", []string{"+/unit-1/command"}, []string{"d/unit-1/command"}, nil},
		{"shared", []string{"$share/g/d/#"}, []string{"d/unit-1/state"}, []string{"$share/g/d/#"}},
		{"broadcast", []string{"all/news", "d/unit-1/command"}, []string{"d/unit-1/command"}, nil},
		{"id inside a level", []string{"cmd-unit-1", "cmd-unit-1/+"}, []string{"cmd-unit-1"}, nil},
		{"own topics by what it published", []string{"d/+/set"}, []string{"d/unit-1/set"}, []string{"d/+/set"}},
		{"no id known", []string{"a/+/b"}, []string{"a/c/b"}, nil},
	} {
		got := wideFilters(c.filters, neighbourTopics(c.own, []string{"unit-1", "u"}))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.name, diff)
		}
	}
}

func TestJudgeScope(t *testing.T) {
	for _, c := range []struct {
		f    scope
		want string
	}{
		{scope{}, ""},
		{scope{wide: []string{"#"}}, "Listens to its neighbours' topics"},
		{scope{wide: []string{"#"}, obeys: true}, "Carries out its neighbours' commands"},
	} {
		got := ""
		for _, f := range judgeScope(c.f) {
			got += f.Title
		}
		if got != c.want {
			t.Errorf("%+v: %q", c.f, got)
		}
	}
}
