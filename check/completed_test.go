package check

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

var (
	hello  = &endpoint.Hello{}
	secure = &endpoint.State{}
)

func TestCompleted(t *testing.T) {
	for name, c := range map[string]struct {
		attempts []testbed.Attempt
		seen     string // empty: no finding
	}{
		"at once":              {[]testbed.Attempt{{Hello: hello, Secure: secure, Bytes: 40}}, ""},
		"at the second":        {[]testbed.Attempt{{Hello: hello, Alert: "bad certificate"}, {Hello: hello, Secure: secure, Bytes: 40}}, ""},
		"alerts":               {[]testbed.Attempt{{}, {Hello: hello, Alert: "bad certificate"}, {Hello: hello, Alert: "bad certificate"}}, "1 × no ClientHello (still open), 2 × handshake failed: bad certificate"},
		"hangs":                {[]testbed.Attempt{{Hello: hello}}, "1 × handshake not completed (still open)"},
		"closes after the end": {[]testbed.Attempt{{Hello: hello, Secure: secure, Closed: time.Unix(1, 0), ClosedBy: "peer fin"}}, "1 × handshake completed, then nothing (peer fin)"},
		"in the clear":         {[]testbed.Attempt{{Bytes: 12, BytesText: "plain: MQTT CONNECT"}}, "1 × 12 bytes without TLS (plain: MQTT CONNECT)"},
	} {
		t.Run(name, func(t *testing.T) {
			found := Completed(testbed.Faced{Attempts: c.attempts}, "a valid chain of 6 kB")
			if c.seen == "" && len(found) > 0 {
				t.Errorf("found %v", found)
			}
			if c.seen != "" && (len(found) != 1 || !strings.Contains(found[0].Seen, c.seen)) {
				t.Errorf("found %v, want %q", found, c.seen)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		attempts []testbed.Attempt
		title    string // empty: no finding
	}{
		"alert":                 {[]testbed.Attempt{{Hello: hello, Alert: "bad certificate"}}, ""},
		"handshake, no byte":    {[]testbed.Attempt{{Hello: hello, Secure: secure}}, ""},
		"bytes":                 {[]testbed.Attempt{{Hello: hello}, {Hello: hello, Secure: secure, Bytes: 40}}, "Sends application data to an endpoint with another name"},
		"bytes in the clear":    {[]testbed.Attempt{{Hello: hello}, {Bytes: 12}}, "Sends application data without TLS to an endpoint with another name"},
		"graded":                {[]testbed.Attempt{{Hello: hello, Secure: secure, Bytes: 40}}, "Sends application data to an endpoint with another name"},
		"no attempt, no ground": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := Judge(Refused).As(Minor)(testbed.Faced{Attempts: c.attempts}, "another name")
			if c.title == "" && len(found) > 0 {
				t.Errorf("found %v", found)
			}
			if c.title != "" && (len(found) != 1 || found[0].Title != c.title || found[0].Severity != Minor) {
				t.Errorf("found %v, want %q", found, c.title)
			}
		})
	}
}
