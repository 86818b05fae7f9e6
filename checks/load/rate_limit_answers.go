package load

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// RateLimitAnswers sends faster than a device ever would and looks at how it is told to stop.
var RateLimitAnswers = &check.Check{
	ID:    "load.rate-limit-answers",
	Title: "Says so when a device sends too fast",
	Why: "A rate limit protects a backend from a device that runs wild. A limit that drops messages without a word makes " +
		"a well-behaved device lose its data in a busy hour, and nobody can see why.",
	Pass: "of the messages of QoS 1 of two devices, 125 a second each, every one is acknowledged and arrives (blocker), or is refused with a " +
		"code that tells the reason, or the connection ends, in MQTT 5.0 with a DISCONNECT that tells the reason (minor); none is left without an answer",
	Fix:          "answer with PUBACK 0x97 (quota exceeded) or DISCONNECT 0x96 (message rate too high); in MQTT 3.1.1 close the connection, or acknowledge later",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "API10:API4"},
	Sources:      []string{"MQTT 5.0 sections 3.4.2.1 and 3.14.2.1, reason codes 0x96 and 0x97", "the rate is ours; AWS IoT Core allows 100 a second"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        5 * time.Minute,
	Run:          rateLimitAnswers,
}

// throttled is how the messages of devices that send too fast were answered.
type throttled struct {
	sent, unanswered, lost uint64
	rejected, gone         uint64
	answers                []string // reason codes, as they are written in reports
	v5                     bool
	first, last            int
}

func rateLimitAnswers(ctx context.Context, t *check.T) error {
	f, err := t.Few(ctx, 2, 1, 8*time.Millisecond)
	if err != nil {
		return err
	}
	g := throttled{first: t.Log.Len(), v5: true}
	for i := range f.Classes {
		c := &f.Classes[i]
		c.Commands, c.Buffer = nil, 1000
		g.v5 = g.v5 && c.Version == mqtt.V5.String()
	}
	span := check.Span(f, 6*time.Second)
	t.Step("%d devices send 125 messages a second each for %s", f.Devices, span)
	r, err := t.Count(ctx, testbed.Load{Fleet: f, For: span, Within: 10 * time.Second})
	if err != nil {
		return err
	}
	n := r.Totals.Counts
	g.sent, g.unanswered, g.lost, g.rejected, g.gone = n[series.Sent], n[series.Unanswered], r.Messages.LostAcked, n[series.Rejected], n[series.Dropped]
	for what := range r.Totals.Answers {
		g.answers = append(g.answers, what)
	}
	g.last = t.Log.Len() - 1
	if g.rejected+g.gone+g.unanswered == 0 {
		t.Record("no limit was met: %d messages were acknowledged", n[series.Acked])
	}
	t.Find(judgeThrottled(g)...)
	return nil
}

// telling are the reason codes that say that it was too much or too fast.
var telling = []string{"0x96", "0x97", "0x89", "0x9F"}

// tells reports whether one of the answers tells the reason.
func (g throttled) tells() bool {
	for _, a := range g.answers {
		for _, code := range telling {
			if strings.Contains(a, code) {
				return true
			}
		}
	}
	return false
}

func judgeThrottled(g throttled) []check.Finding {
	var found []check.Finding
	add := func(severity check.Severity, title, seen string) {
		found = append(found, check.Finding{Severity: severity, Title: title, Seen: seen, Evidence: check.Range(g.first, g.last, "the devices send")})
	}
	if g.lost > 0 {
		add(check.Blocker, "Acknowledges messages that come too fast, and drops them", fmt.Sprintf("%d of %d messages were acknowledged and never arrived", g.lost, g.sent))
	}
	if g.unanswered > 0 && g.gone == 0 {
		add(check.Major, "Leaves messages that come too fast without an answer",
			fmt.Sprintf("%d of %d messages were neither acknowledged nor refused, and the connections stayed open", g.unanswered, g.sent))
	}
	if g.v5 && g.rejected+g.gone > 0 && !g.tells() {
		add(check.Minor, "Does not say that a device sends too fast", fmt.Sprintf("%d messages were refused and %d connections ended, with: %s", g.rejected, g.gone,
			cmp.Or(strings.Join(g.answers, ", "), "no code")))
	}
	return found
}
