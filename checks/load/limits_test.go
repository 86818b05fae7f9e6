package load

import (
	"errors"
	"slices"
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet/limit"
	"github.com/shakedown-test/shakedown/product"
)

// verdicts checks how many findings a judge has, and how severe the first is.
func verdicts(t *testing.T, name string, found []check.Finding, n int, severity check.Severity) {
	t.Helper()
	if len(found) != n || n > 0 && found[0].Severity != severity {
		t.Errorf("%s: %v", name, found)
	}
}

func TestJudgeHubs(t *testing.T) {
	verdicts(t, "all arrive", judgeHubs(hubs{children: 200, sent: 800}), 0, "")
	verdicts(t, "lost", judgeHubs(hubs{children: 200, sent: 800, lost: 3}), 1, "")
	verdicts(t, "dropped", judgeHubs(hubs{children: 200, sent: 800, gone: 1}), 1, "")
	verdicts(t, "told", judgeHubs(hubs{children: 200, sent: 800, rejected: 3}), 1, check.Minor)
}

func TestJudgeLeaked(t *testing.T) {
	broken := []evidence.LoadLimit{{Limit: "leaked = 0", Outcome: evidence.LimitBroken}}
	held := []evidence.LoadLimit{{Limit: "refused = 0", Outcome: evidence.LimitHeld}}
	for _, c := range []struct {
		name   string
		judged []evidence.LoadLimit
		leaked uint64
		want   int
	}{{"none", held, 0, 0}, {"by a limit", broken, 3, 1}, {"without a limit", held, 3, 1}} {
		if found, _ := judgeLimits(c.judged, c.leaked); len(found) != c.want {
			t.Errorf("%s: %v", c.name, found)
		}
	}
}

func TestJudgeBacklog(t *testing.T) {
	verdicts(t, "drained", judgeBacklog(backlog{sent: 100}), 0, "")
	verdicts(t, "waits", judgeBacklog(backlog{sent: 100, waiting: 1}), 1, "")
	verdicts(t, "not acknowledged", judgeBacklog(backlog{sent: 100, unanswered: 1}), 1, "")
	verdicts(t, "not there", judgeBacklog(backlog{sent: 100, lost: 1}), 1, "")
}

func TestJudgeThrottled(t *testing.T) {
	quota := []string{"PUBACK quota exceeded (0x97)"}
	verdicts(t, "no limit", judgeThrottled(throttled{sent: 100, v5: true}), 0, "")
	verdicts(t, "lost", judgeThrottled(throttled{sent: 100, lost: 1}), 1, check.Blocker)
	verdicts(t, "silent", judgeThrottled(throttled{sent: 100, unanswered: 20}), 1, check.Major)
	verdicts(t, "told", judgeThrottled(throttled{sent: 100, rejected: 20, answers: quota, v5: true}), 0, "")
	verdicts(t, "closed with a reason", judgeThrottled(throttled{sent: 100, gone: 2, unanswered: 3, answers: []string{"DISCONNECT message rate too high (0x96)"}, v5: true}), 0, "")
	verdicts(t, "refused without a reason", judgeThrottled(throttled{sent: 100, rejected: 20, answers: []string{"PUBACK unspecified error (0x80)"}, v5: true}), 1, check.Minor)
	verdicts(t, "closed without a word", judgeThrottled(throttled{sent: 100, gone: 1, v5: true}), 1, check.Minor)
	verdicts(t, "3.1.1 closes", judgeThrottled(throttled{sent: 100, gone: 1}), 0, "")
}

func TestJudgeStatuses(t *testing.T) {
	refused := func(pairs ...any) statuses {
		s := statuses{sent: 100, acked: 50, refused: map[string]uint64{}}
		for i := 0; i < len(pairs); i += 2 {
			s.refused[pairs[i].(string)] = uint64(pairs[i+1].(int))
		}
		return s
	}
	verdicts(t, "no limit", judgeStatuses(statuses{sent: 100, acked: 100}), 0, "")
	verdicts(t, "told", judgeStatuses(refused("429 with Retry-After", 30, "503", 20)), 0, "")
	verdicts(t, "failed once in a hundred", judgeStatuses(refused("502", 1)), 0, "")
	verdicts(t, "failed", judgeStatuses(refused("429", 30, "500", 20)), 1, check.Minor)
	verdicts(t, "denied", judgeStatuses(refused("403", 2, "500", 20)), 1, check.Major)
	verdicts(t, "some under way", judgeStatuses(statuses{devices: 10, sent: 100, acked: 50, unanswered: 5}), 0, "")
	verdicts(t, "silent", judgeStatuses(statuses{devices: 10, sent: 100, acked: 50, unanswered: 6}), 1, "")
	verdicts(t, "failed and silent", judgeStatuses(statuses{devices: 10, sent: 100, unanswered: 10, refused: map[string]uint64{"502": 5}}), 2, check.Minor)
}

func TestJudgeChurn(t *testing.T) {
	verdicts(t, "clean", judgeChurn(churn{clients: 20, connected: 100}), 0, "")
	verdicts(t, "kept", judgeChurn(churn{clients: 20, connected: 100, old: []string{"a"}}), 1, "")
	verdicts(t, "refused", judgeChurn(churn{clients: 20, connected: 40, refused: "CONNACK quota exceeded (0x97)"}), 1, "")
}

func TestJudgeTwins(t *testing.T) {
	verdicts(t, "fine", judgeTwins(twins{taken: 30}), 0, "")
	verdicts(t, "slowed down", judgeTwins(twins{taken: 10, refused: "connection rate exceeded"}), 0, "")
	verdicts(t, "both stay", judgeTwins(twins{taken: 30, stayed: 1}), 1, check.Major)
	verdicts(t, "the id is lost", judgeTwins(twins{taken: 20, after: errors.New("refused")}), 1, check.Major)
	verdicts(t, "another suffers", judgeTwins(twins{taken: 10, other: errors.New("closed")}), 1, check.Blocker)
}

func TestJudgeExplosion(t *testing.T) {
	verdicts(t, "all arrive", judgeExplosion(explosion{acked: 600, arrived: 600}), 0, "")
	verdicts(t, "refused", judgeExplosion(explosion{acked: 300, arrived: 300, refused: 300}), 0, "")
	verdicts(t, "closed", judgeExplosion(explosion{acked: 300, arrived: 300, ended: "closed"}), 0, "")
	verdicts(t, "lost", judgeExplosion(explosion{acked: 600, arrived: 300}), 1, "")
	verdicts(t, "silent", judgeExplosion(explosion{acked: 300, arrived: 300, ended: "no answer", silent: true}), 1, "")
	verdicts(t, "another suffers", judgeExplosion(explosion{acked: 600, arrived: 600, others: errors.New("closed")}), 1, check.Blocker)
}

func TestWatchable(t *testing.T) {
	one := func(transport product.Protocol) *product.Fleet {
		return &product.Fleet{Classes: []product.Class{{Transport: transport}}}
	}
	if !watchable(one(""), product.WSS) || watchable(one(""), product.HTTPS) || watchable(one(product.COAP), product.MQTT) || !watchable(one(product.MQTTS), product.HTTP) {
		t.Error("who can be listened to is not told from who cannot")
	}
	for _, text := range append(slices.Clone(usual), unwatched...) {
		if _, err := limit.Parse(text); err != nil {
			t.Error(err)
		}
	}
}
