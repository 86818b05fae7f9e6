package fault

import "testing"

func TestJudgeHellos(t *testing.T) {
	for _, c := range []struct {
		all, ofOne int
		want       string
	}{
		{6, 6, ""},
		{9, 5, ""},
		{30, 30, "Repeats its ClientHello without waiting longer"},
		{30, 2, "Begins handshakes over and over"},
	} {
		title := ""
		if f := judgeHellos(c.all, c.ofOne); len(f) > 0 {
			title = f[0].Title
		}
		if title != c.want {
			t.Errorf("%d, %d of one: %q, want %q", c.all, c.ofOne, title, c.want)
		}
	}
}

func TestJudgeReadingsKept(t *testing.T) {
	for name, c := range map[string]struct {
		before, now    int64
		missing, keeps int
		want           int
	}{
		"all":                       {10, 30, 0, 20, 0},
		"none of them":              {10, 30, 19, 20, 1},
		"one":                       {10, 14, 1, 20, 1},
		"more than the buffer":      {10, 35, 5, 20, 0},
		"more than the buffer lost": {10, 35, 6, 20, 1},
	} {
		if got := judgeReadingsKept(c.before, c.now, c.missing, c.keeps); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
