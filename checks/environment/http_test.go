package environment

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/world/proxy"
	"github.com/shakedown-test/shakedown/world/web"
)

func headings(found []check.Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, strings.TrimSpace(string(f.Severity)+" "+f.Title))
	}
	return strings.Join(all, "; ")
}

func TestJudgeCaptivity(t *testing.T) {
	for name, c := range map[string]struct {
		c    captivity
		want string
	}{
		"good":               {captivity{secure: true, tries: 4, back: 20 * time.Second}, ""},
		"http may ask":       {captivity{told: &web.Request{}, tries: 4, back: 20 * time.Second}, ""},
		"told over TLS":      {captivity{secure: true, told: &web.Request{}, back: 20 * time.Second}, "Speaks to a captive portal as if it were its API"},
		"late":               {captivity{secure: true, back: 90 * time.Second}, "major Is back late after a captive portal has opened"},
		"away":               {captivity{secure: true, waited: 100 * time.Second}, "Stays away after a captive portal has opened"},
		"ended by itself":    {captivity{secure: true, exits: 1, back: time.Second}, "Exits behind a captive portal"},
		"a machine that lag": {captivity{secure: true, back: 64 * time.Second}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := headings(judgeCaptivity(c.c, 2500*time.Millisecond)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeProxied(t *testing.T) {
	for name, c := range map[string]struct {
		p    proxied
		want string
	}{
		"good":     {proxied{what: "x", asked: 3}, ""},
		"told":     {proxied{what: "x", told: &proxy.Intercepted{Host: "h", Size: 9}}, "blocker Bears a proxy that breaks its TLS open"},
		"it exits": {proxied{what: "demands a password", exits: 2}, "blocker Exits while its proxy demands a password"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := headings(judgeProxied(c.p)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
