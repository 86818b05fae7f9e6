package expiry

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

func TestJudgeClientExpired(t *testing.T) {
	tries := func(n int) (f testbed.Faced) {
		for range n {
			f.Attempts = append(f.Attempts, testbed.Attempt{Hello: &endpoint.Hello{}, Opened: time.Unix(1, 0)})
		}
		return f
	}
	renewed := tries(1)
	renewed.Attempts[0].Secure, renewed.Attempts[0].Connack = &endpoint.State{ClientCert: "CN=x"}, &mqtt.Packet{}
	away := tries(2)
	away.Restarted = true
	told := console{lines: 3, certificate: 1}
	for name, c := range map[string]struct {
		got  []check.Finding
		want string
	}{
		"waits and tells":   {judgeClientExpired(tries(20), true, told), ""},
		"no console":        {judgeClientExpired(tries(2), true, console{}), ""},
		"hammers":           {judgeClientExpired(tries(21), true, told), "Hammers the endpoint with an expired certificate"},
		"silent":            {judgeClientExpired(tries(2), true, console{lines: 3}), "minor: Does not say that its certificate has expired"},
		"stays away":        {judgeClientExpired(away, true, told), "Stays away after it was refused for an expired certificate"},
		"nothing promised":  {judgeClientExpired(away, false, told), ""},
		"renewed by itself": {judgeClientExpired(renewed, true, console{lines: 3}), ""},
		"announced":         {judgeAnnounced(told, 0, 0), ""},
		"not announced":     {judgeAnnounced(console{lines: 3}, 0, 0), "info: Does not announce that its certificate is about to end"},
	} {
		t.Run(name, func(t *testing.T) {
			var titles []string
			for _, f := range c.got {
				titles = append(titles, strings.TrimPrefix(string(f.Severity)+": "+f.Title, ": "))
			}
			if got := strings.Join(titles, "; "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestSpeech(t *testing.T) {
	events := []evidence.Event{
		{Kind: evidence.Console, Part: "dut", Text: "boot"},
		{Kind: evidence.Console, Part: "dut", Text: "Certificate expired"},
		{Kind: evidence.Console, Part: "other", Text: "certificate"},
		{Kind: evidence.Alert, Part: "dut", Text: "certificate"},
	}
	if got := speech("dut", events); got != (console{lines: 2, certificate: 1}) {
		t.Errorf("speech = %+v", got)
	}
}
