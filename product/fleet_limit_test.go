package product

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]Limit{
		"connect p99 < 5 s":       {What: "connect", Of: "p99", Op: "<", Value: 5},
		"ack p99.9<=250ms":        {What: "ack", Of: "p99.9", Op: "<=", Value: 0.25},
		"  Delivery  max ≤ 2 min": {What: "delivery", Of: "max", Op: "<=", Value: 120},
		"lag mean < 500 us":       {What: "lag", Of: "mean", Op: "<", Value: 0.0005},
		"lost acked = 0":          {What: "lost acked", Op: "="},
		"lost < 0.1%":             {What: "lost", Op: "<", Value: 0.001, Percent: true},
		"errors <= 12":            {What: "errors", Op: "<=", Value: 12},
		"back < 60 s":             {What: "back", Op: "<", Value: 60},
		"connected >= 99 %":       {What: "connected", Op: ">=", Value: 0.99, Percent: true},
	} {
		got, err := ParseLimit(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Limit{}), cmpopts.EquateApprox(0, 1e-12)); d != "" {
			t.Errorf("%s: %s", text, d)
		}
		again, err := ParseLimit(got.String())
		if err != nil || again != got {
			t.Errorf("%s: written as %q it reads as %+v, %v", text, got, again, err)
		}
	}
}

func TestLimitMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "hint: a limit is written such as",
		"connect p99":            "it has no comparison with a value",
		"connect p99 <":          "it has no comparison with a value",
		"< 5 s":                  "it has no subject",
		"conect p99 < 5 s":       `hint: did you mean "connect"?`,
		"lots = 0":               `hint: did you mean "lost"?`,
		"connect < 5 s":          `hint: write which: "connect p99 < 5 s"`,
		"connect p98 < 5 s":      `hint: did you mean "p90"?`,
		"connect p99 < 5":        "hint: write its unit: us, ms, s, min or h",
		"connect p99 < 5 sec":    "hint: one of: us, ms, s, min, h",
		"connect p99 > 5 s":      "hint: compare it with < or <=",
		"connect p99 << 5 s":     "hint: compare it with < or <=",
		"connected < 99 %":       "hint: compare it with >= or > or =",
		"lost < many":            "hint: write a number",
		"lost < -1":              "hint: write a number",
		"lost < 1e400":           "hint: it is a number, or a share in %",
		"lost < 101 %":           "hint: a share is at most 100 %",
		"lost < 5 s":             "hint: it is a number, or a share in %",
		"back < 5 %":             "hint: one of: us, ms, s, min, h",
		strings.Repeat("x", 200): "…",
	} {
		_, err := ParseLimit(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{"connect p99 < 5 s", "lost acked = 0", "connected >= 99 %", "back<1min"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLimit(s)
		if err != nil {
			return
		}
		if again, err := ParseLimit(l.String()); err != nil || again != l {
			t.Errorf("%q: written as %q it reads as %+v, %v", s, l, again, err)
		}
	})
}
