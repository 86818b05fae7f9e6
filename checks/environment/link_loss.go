package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
)

// LinkLoss has the device's own link lose packets.
var LinkLoss = &check.Check{
	ID:    "environment.link-loss",
	Title: "Works on a link that loses packets",
	Why: "At the far end of the garden every twentieth packet is lost. " +
		"A device that takes a late answer for a dead server is online and offline all day, or restarts.",
	Pass: "with 1 % and 5 % of the packets lost in both directions at least 9 of 10 trials are answered and at most one connection is made anew; " +
		"with 20 % its process does not end; afterwards it works",
	Fix:          "leave lost packets to TCP: wait tens of seconds for answers, and none of your timeouts below 5 s",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-3"},
	Rows:         []string{"net.loss"},
	Sources:      []string{"RFC 6298 (retransmission timeouts of TCP begin at 1 s and double)", "the figures are those of a bad Wi-Fi: our choice"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      45 * time.Second,
	Limit:        30 * time.Minute,
	Run:          linkLoss,
}

func linkLoss(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	for _, percent := range []int{1, 5, 20} {
		allowed := 1
		if percent == 20 {
			allowed = 10 // only its process counts
		}
		t.Step("lose %d %% of the packets in both directions", percent)
		heal := t.Impair(t.Access.Loss(frame.Both, float64(percent)/100))
		f, next, err := work(ctx, t, s, fmt.Sprintf("a link that loses %d %% of the packets", percent), 10, allowed)
		if err != nil {
			return err
		}
		mark := t.Log.Len()
		heal()
		if percent == 20 {
			t.Find(judgeExits(f)...)
		} else {
			t.Find(judgeStrained(f)...)
		}
		if len(f.exits) > 0 {
			return nil
		}
		var byItself bool
		if s, byItself, err = recovers(ctx, t, next, mark); err != nil {
			return err
		}
		t.Find(judgeBack(f, byItself)...)
	}
	return nil
}

// judgeBack finds when the device did not work again by itself after the link was healed.
func judgeBack(f strained, byItself bool) []check.Finding {
	if byItself {
		return nil
	}
	return []check.Finding{{
		Severity: check.Blocker,
		Title:    "Stays away after " + f.on,
		Expected: "it works again by itself when the link is in order",
		Seen:     "it did so after a restart only",
		Evidence: check.Range(f.first, f.last, "on the bad link"),
	}}
}
