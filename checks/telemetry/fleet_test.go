package telemetry

import (
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/fleet/count"
)

func TestJudgeKept(t *testing.T) {
	for name, c := range map[string]struct {
		m     count.Totals
		found bool
	}{
		"all there":                 {count.Totals{Watched: true, Sent: 90, Acked: 90, Arrived: 90}, false},
		"lost, never acknowledged":  {count.Totals{Watched: true, Sent: 90, Acked: 88, Arrived: 88, Lost: 2}, false},
		"one acknowledged and lost": {count.Totals{Watched: true, Sent: 90, Acked: 90, Arrived: 89, Lost: 1, LostAcked: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if found := judgeKept(c.m); len(found) > 0 != c.found {
				t.Errorf("found %v", found)
			}
		})
	}
	m := count.Totals{Acked: 9, LostAcked: 1, Examples: map[string][]count.Message{"lost_acked": {{Source: 7, Seq: 3}}}}
	if found := judgeKept(m); !strings.Contains(found[0].Seen, "7/3") {
		t.Errorf("no example in %q", found[0].Seen)
	}
}

func TestJudgeCopies(t *testing.T) {
	for name, c := range map[string]struct {
		c     copies
		found bool
	}{
		"none":                       {copies{of: 100, each: 2}, false},
		"one without a reconnect":    {copies{of: 100, twice: 1, each: 2}, true},
		"what a reconnect allows":    {copies{of: 100, twice: 2, ends: 1, each: 2}, false},
		"more than reconnects allow": {copies{of: 100, twice: 61, ends: 30, each: 2}, true},
		"QoS 2, reconnects":          {copies{of: 100, twice: 1, ends: 30}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if found := judgeCopies(c.c); len(found) > 0 != c.found {
				t.Errorf("found %v", found)
			}
		})
	}
}

func TestCourses(t *testing.T) {
	if courseOf(2, "steady") != "QoS 2 while the connections last" || courseOf(1, "reconnect-storm") != "QoS 1 when all connections are cut" {
		t.Error(courseOf(2, "steady"), courseOf(1, "reconnect-storm"))
	}
}

func TestJudgeOrder(t *testing.T) {
	if found := judgeOrder(count.Totals{Arrived: 10, Duplicates: 3}); len(found) > 0 {
		t.Errorf("copies are not out of order: %v", found)
	}
	if found := judgeOrder(count.Totals{Arrived: 10, Late: 1}); len(found) != 1 {
		t.Errorf("found %v", found)
	}
}
