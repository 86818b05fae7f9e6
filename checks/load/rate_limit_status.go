package load

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// RateLimitStatus sends faster over HTTP than a device ever would, and looks at how it is told to stop.
var RateLimitStatus = &check.Check{
	ID:    "load.rate-limit-status",
	Title: "Says so when a device sends too fast over HTTP",
	Why: "The status code of a refusal says what to do next. After 429 or 503 a device waits and sends again; after another 4xx it drops what it " +
		"has measured; after 500 it tries again at once, and makes the busy hour busier.",
	Pass: "of the requests of up to ten devices that are answered with 2xx at one message in two seconds, at ten a second each is answered with 2xx, or with " +
		"429 or 503; no more than one in a hundred with another 4xx (major) or 5xx (minor), and no more than half of the devices are left without an answer (major)",
	Fix:          "answer with 429 and Retry-After where one device is too fast, and with 503 and Retry-After where all together are",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "API10:API4"},
	Sources:      []string{"RFC 6585 section 4: 429", "RFC 9110 sections 15.6.4 and 10.2.3: 503, Retry-After", "the rates are ours"},
	Needs:        check.Needs{Real: product.Cloud},
	Impact:       check.Disturbs,
	Typical:      25 * time.Second,
	Limit:        10 * time.Minute,
	Run:          rateLimitStatus,
}

// statuses is how requests were answered.
type statuses struct {
	devices                 int
	sent, acked, unanswered uint64
	refused                 map[string]uint64 // by status, such as "429 with Retry-After"
}

func rateLimitStatus(ctx context.Context, t *check.T) error {
	f, err := t.Requesters(ctx)
	if err != nil {
		return err
	}
	few(f, 10)
	slow, err := requests(ctx, t, f, 2*time.Second)
	if err != nil {
		return err
	}
	if status, n := slow.wrong(); 100*n > slow.sent || slow.acked == 0 || slow.silent() {
		return check.NotRun("see that identity:, topic: and payload: of the classes that send over HTTP are right",
			"at a message in two seconds %d of %d were taken, %d left without an answer, and %d refused%s", slow.acked, slow.sent, slow.unanswered, n, status)
	}
	fast, err := requests(ctx, t, f, 100*time.Millisecond)
	if err != nil {
		return err
	}
	t.Find(judgeStatuses(fast)...)
	if fast.acked < fast.sent {
		return nil
	}
	if fast.sent < 2*slow.sent {
		return check.NotRun("see how long the cloud takes for an answer", "the devices could not send faster: %d messages in place of %d", fast.sent, slow.sent)
	}
	t.Record("no limit was met: all of %d messages were taken", fast.sent)
	return nil
}

// requests has devices send over HTTP at a pace.
func requests(ctx context.Context, t *check.T, f *product.Fleet, every time.Duration) (s statuses, err error) {
	for i := range f.Classes {
		c := &f.Classes[i]
		c.Telemetry, c.Sleep, c.Buffer = c.Telemetry[:1], nil, 0
		c.Telemetry[0].Every, c.Telemetry[0].Pace, c.Telemetry[0].Day = product.Duration(every), "fixed", nil
	}
	t.Step("%d devices send a message each %s over HTTP", f.Devices, every)
	r, err := t.Play(ctx, testbed.Load{Fleet: f, For: span(f, 10*time.Second, 0.33), Drain: time.Second, Within: 20 * time.Second, Blind: true, Requests: true})
	if err != nil {
		return s, err
	}
	n := r.Totals.Counts
	s = statuses{devices: f.Devices, sent: n[series.Sent], acked: n[series.Acked], unanswered: n[series.Unanswered], refused: map[string]uint64{}}
	for what, n := range r.Totals.Answers {
		if status, is := strings.CutPrefix(what, "status "); is {
			s.refused[status] += n
		}
	}
	return s, nil
}

// wrong counts refusals that don't say that a device is to wait, and lists their statuses.
func (s statuses) wrong() (list string, n uint64) {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(s.refused)) {
		if !strings.HasPrefix(status, "429") && !strings.HasPrefix(status, "503") {
			all = append(all, fmt.Sprintf("status %s (%d times)", status, s.refused[status]))
			n += s.refused[status]
		}
	}
	if n > 0 {
		list = ": " + strings.Join(all, ", ")
	}
	return list, n
}

// silent reports whether more than half of the devices, each of which sends one message at a time, are left without an answer.
func (s statuses) silent() bool { return 2*s.unanswered > uint64(s.devices) }

func judgeStatuses(s statuses) []check.Finding {
	var found []check.Finding
	if list, n := s.wrong(); 100*n > s.sent {
		f := check.Finding{
			Severity: check.Minor, Title: "Refuses messages that come too fast with a status that does not say so",
			Seen: fmt.Sprintf("%d of %d messages were refused%s", n, s.sent, list),
		}
		for status := range s.refused {
			if strings.HasPrefix(status, "4") && !strings.HasPrefix(status, "429") {
				f.Severity, f.Title = check.Major, "Refuses messages that come too fast as if they were wrong"
			}
		}
		found = append(found, f)
	}
	if s.silent() {
		found = append(found, check.Finding{
			Title: "Leaves messages that come too fast over HTTP without an answer",
			Seen:  fmt.Sprintf("%d of %d messages of %d devices, each of which sends one at a time, were left without an answer for 20 s", s.unanswered, s.sent, s.devices),
		})
	}
	return found
}
