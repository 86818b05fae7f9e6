package apidrift

import "testing"

func TestInserted(t *testing.T) {
	for _, tc := range []struct {
		payload, front, end, want string
		ok                        bool
	}{
		{`{"a":1}`, `"x":2`, "", `{"x":2,"a":1}`, true},
		{` {"a":1} `, "", `"x":2`, `{"a":1,"x":2}`, true},
		{`{}`, `"x":2`, "", `{"x":2}`, true},
		{`on`, `"x":2`, "", `on`, false},
		{`[1]`, `"x":2`, "", `[1]`, false},
		{`null`, `"x":2`, "", `null`, false},
	} {
		got, ok := inserted([]byte(tc.payload), tc.front, tc.end)
		if string(got) != tc.want || ok != tc.ok {
			t.Errorf("%s: %s %v, want %s %v", tc.payload, got, ok, tc.want, tc.ok)
		}
	}
}

func TestJudgeExtra(t *testing.T) {
	if got := judgeExtra(sent{what: "X", effect: true}); len(got) != 0 {
		t.Errorf("effect: %+v", got)
	}
	if got := judgeExtra(sent{what: "X"}); len(got) != 1 {
		t.Errorf("no effect: %+v", got)
	}
}
