package protocol

import (
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/check"
)

func TestJudgeClientIDs(t *testing.T) {
	for name, c := range map[string]struct {
		own, other []string
		want       string // title; empty: no finding
		severity   check.Severity
	}{
		"own and kept":       {[]string{"a-1", "a-1"}, []string{"a-2"}, "", ""},
		"one unit only":      {[]string{"a-1", "a-1"}, nil, "", ""},
		"new at the restart": {[]string{"a-7", "a-9"}, []string{"a-2"}, "Takes a new client id from connection to connection", check.Major},
		"same in both":       {[]string{"model", "model"}, []string{"model"}, "Two units have the same client id", ""},
		"same at the second": {[]string{"a", "a"}, []string{"b", "a"}, "Two units have the same client id", ""},
		"none":               {[]string{"", ""}, []string{""}, "Leaves its client id to the broker", check.Minor},
	} {
		t.Run(name, func(t *testing.T) {
			found := judgeClientIDs(ids{own: c.own, other: c.other})
			switch {
			case c.want == "" && len(found) > 0:
				t.Errorf("found %v", found)
			case c.want != "" && (len(found) != 1 || found[0].Title != c.want || found[0].Severity != c.severity):
				t.Errorf("found %v, want %q %q", found, c.severity, c.want)
			}
		})
	}
}

func TestJudgeClientID(t *testing.T) {
	for id, want := range map[string]string{
		"thermostat4711":                       "",
		"b9f8e0de-1c43-4bd7-a70e-ce2ecd9dbd62": "",
		"AA:BB:CC_1.2":                         "",
		strings.Repeat("x", 128):               "",
		strings.Repeat("x", 129):               "Has a very long client id",
		"my thermostat":                        "Has unusual characters in its client id",
		"thermostat/1":                         "Has unusual characters in its client id",
		"thermostat#":                          "Has unusual characters in its client id",
		"küche":                                "Has unusual characters in its client id",
		"a\x00b":                               "Has unusual characters in its client id",
		"":                                     "Has no client id of its own",
	} {
		found := judgeClientID(id)
		if want == "" && len(found) > 0 || want != "" && (len(found) != 1 || found[0].Title != want) {
			t.Errorf("%q: found %v, want %q", id, found, want)
		}
	}
}
