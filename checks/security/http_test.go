package security

import (
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/http1"
	"github.com/shakedown-test/shakedown/world/web"
)

func TestElsewhere(t *testing.T) {
	request := func(part, host string) evidence.Event {
		return evidence.Event{Part: part, Kind: evidence.In, Data: &web.Request{Method: "GET", Path: "/doc", Host: host}}
	}
	for name, c := range map[string]struct {
		events []evidence.Event
		found  bool
	}{
		"none":                  {nil, false},
		"to the API":            {[]evidence.Event{request("api", "api.test:443")}, false},
		"there":                 {[]evidence.Event{request("elsewhere 1", "other.test:8443")}, true},
		"there, port left out":  {[]evidence.Event{request("elsewhere 1", "other.test")}, true},
		"at a third":            {[]evidence.Event{request("elsewhere 2", "third.test:80")}, false},
		"no request, an answer": {[]evidence.Event{{Part: "elsewhere 1", Kind: evidence.Out, Data: &web.Reply{}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			q := elsewhere(check.Offered{Events: c.events}, "https://other.test:8443")
			if (q != nil) != c.found {
				t.Errorf("got %v", q)
			}
			if got := judgeDowngrade(q, check.Offered{}); (len(got) == 1) != c.found {
				t.Errorf("judged %v", got)
			}
		})
	}
}

func TestJudgeCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		q    *web.Request
		want string
	}{
		"not followed":  {nil, ""},
		"without":       {&web.Request{}, ""},
		"authorization": {&web.Request{Authorization: "Bearer x"}, "Sends its Authorization to the host that a redirect leads to"},
		"cookie":        {&web.Request{Fields: http1.Fields{{Name: "Cookie", Value: "a=b"}}}, "Sends its Cookie to the host that a redirect leads to"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, f := range judgeCredentials(c.q, check.Offered{}) {
				got = f.Title
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
