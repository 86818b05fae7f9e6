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
