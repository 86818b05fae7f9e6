package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// KeepaliveValue reads the keep-alive in CONNECT.
var KeepaliveValue = &check.Check{
	ID:    "protocol.keepalive-value",
	Title: "Asks for a keep-alive that is shorter than the memory of a NAT",
	Why: "Routers and mobile networks forget a connection that was idle for some minutes, and tell nobody. " +
		"With a keep-alive that is off or longer than that, the app shows a device that is online and hears nothing.",
	Pass:         "keep-alive in CONNECT from 1 to 240 s; up to 1200 s is minor, more or off is major; and as declared, if keep_alive is declared",
	Fix:          "set a keep-alive of 30 to 240 s; where the battery does not allow it, agree longer idle times with the network operator and declare them",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"mqtt.keepalive.value"},
	Sources:      []string{"MQTT-3.1.2-24 (3.1.1), section 3.1.2.10", "limits of 240 s and 1200 s: a proposal, from idle times of NATs in use"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        5 * time.Minute,
	Run:          keepaliveValue,
}

func keepaliveValue(ctx context.Context, t *check.T) error {
	t.Step("read the keep-alive that the device asks for")
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	k := s.KeepAlive()
	t.MeasureTime("keep-alive", k, "1..240 s")
	found := judgeKeepaliveValue(k, time.Duration(t.Product.Declared.KeepAlive))
	for i := range found {
		found[i].Evidence = check.Range(max(0, s.Mark-1), s.Mark, "its CONNECT, and the answer")
	}
	t.Find(found...)
	return nil
}

// judgeKeepaliveValue judges the keep-alive of a CONNECT, and whether it is what the maker declares; a declared of 0 is none.
func judgeKeepaliveValue(k, declared time.Duration) []check.Finding {
	var found []check.Finding
	seen := fmt.Sprintf("CONNECT asks for a keep-alive of %.0f s", k.Seconds())
	switch {
	case k == 0:
		found = append(found, check.Finding{Title: "Switches keep-alive off", Seen: seen + ", which is off: neither side notices a dead connection"})
	case k > 1200*time.Second:
		found = append(found, check.Finding{Title: "Asks for a keep-alive longer than any NAT remembers", Seen: seen})
	case k > 240*time.Second:
		found = append(found, check.Finding{Severity: check.Minor, Title: "Asks for a keep-alive longer than many NATs remember", Seen: seen})
	}
	if declared > 0 && k != declared {
		found = append(found, check.Finding{
			Severity: check.Minor,
			Title:    "Asks for another keep-alive than declared",
			Expected: fmt.Sprintf("a keep-alive of %.0f s, as declared", declared.Seconds()),
			Seen:     seen,
		})
	}
	return found
}
