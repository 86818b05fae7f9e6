package security

import (
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/endpoint"
)

func TestJudgeGood(t *testing.T) {
	start := time.Unix(0, 0)
	hello, secure := &endpoint.Hello{}, &endpoint.State{}
	failed := testbed.Attempt{Conn: 1, Opened: start, Hello: hello, Alert: "bad certificate", Closed: start}
	through := testbed.Attempt{Conn: 2, Opened: start, Hello: hello, Secure: secure, Bytes: 40}
	plain := testbed.Attempt{Conn: 1, Opened: start, Bytes: 12, BytesText: "plain: MQTT CONNECT"}
	for name, c := range map[string]struct {
		facts    goodFacts
		title    string // empty: no finding
		severity check.Severity
	}{
		"at once":           {goodFacts{attempts: []testbed.Attempt{through}, conn: 2, at: start.Add(time.Second)}, "", ""},
		"at the second":     {goodFacts{attempts: []testbed.Attempt{failed, through}, conn: 2, at: start.Add(time.Second)}, "", ""},
		"at the limit":      {goodFacts{attempts: []testbed.Attempt{through}, conn: 2, at: start.Add(31 * time.Second), slack: time.Second}, "", ""},
		"above the limit":   {goodFacts{attempts: []testbed.Attempt{through}, conn: 2, at: start.Add(32 * time.Second), slack: time.Second}, "Takes long", check.Major},
		"never":             {goodFacts{attempts: []testbed.Attempt{failed, failed}}, "Does not get through", ""},
		"without TLS":       {goodFacts{attempts: []testbed.Attempt{plain}, conn: 1, at: start}, "Sends application data without TLS", ""},
		"plain after a try": {goodFacts{attempts: []testbed.Attempt{{Conn: 3, Hello: hello}, plain}, conn: 1, at: start}, "Sends application data without TLS", ""},
	} {
		t.Run(name, func(t *testing.T) { expect(t, judgeGood(c.facts), c.title, c.severity) })
	}
	if (goodFacts{attempts: []testbed.Attempt{{Conn: 1}}}).tried() {
		t.Error("a connection without a word counts as a try")
	}
}

func TestJudgeRevoked(t *testing.T) {
	accepted := func(asks bool) testbed.Faced {
		return testbed.Faced{Attempts: []testbed.Attempt{{Conn: 1, Hello: &endpoint.Hello{OCSP: asks}, Secure: &endpoint.State{}, Bytes: 40}}}
	}
	for asks, want := range map[bool]string{true: "it had asked for", false: "it did not ask for"} {
		found := judgeRevoked(accepted(asks), "a revoked certificate")
		if len(found) != 1 || !strings.Contains(found[0].Seen, want) {
			t.Errorf("asks = %v: found %v, want %q", asks, found, want)
		}
	}
	refused := testbed.Faced{Attempts: []testbed.Attempt{{Conn: 1, Hello: &endpoint.Hello{OCSP: true}, Alert: "bad certificate"}}}
	expect(t, judgeRevoked(refused, "a revoked certificate"), "", "")
}

func TestJudgeLarge(t *testing.T) {
	through := testbed.Faced{Attempts: []testbed.Attempt{{Conn: 1, Hello: &endpoint.Hello{}, Secure: &endpoint.State{}, Bytes: 40}}}
	failed := testbed.Faced{Attempts: []testbed.Attempt{{Conn: 1, Hello: &endpoint.Hello{}, Alert: "peer closed without alert"}}}
	expect(t, judgeLarge(through, "a valid chain of 6 kB", 1300, true), "", "")
	expect(t, judgeLarge(failed, "a valid chain of 6 kB", 0, true), "Does not get through", "")
	found := judgeLarge(failed, "a valid chain of 16 kB", 6144, false)
	expect(t, found, "Does not get through", check.Info)
	if !strings.Contains(found[0].Seen, "6144 bytes had worked") {
		t.Errorf("seen %q lacks the size that worked", found[0].Seen)
	}
}

// expect fails unless found is one finding with the title and severity, or none without a title.
func expect(t *testing.T, found []check.Finding, title string, severity check.Severity) {
	t.Helper()
	if title == "" {
		if len(found) > 0 {
			t.Errorf("found %v", found)
		}
		return
	}
	if len(found) != 1 || !strings.HasPrefix(found[0].Title, title) || found[0].Severity != severity {
		t.Errorf("found %v, want %q of severity %q", found, title, severity)
	}
}
