package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// lieAhead is how far the time in bad replies is ahead: so little that certificates stay valid.
const lieAhead = 30 * 24 * time.Hour

// SNTPBadReply answers requests for the time with what must not be believed.
var SNTPBadReply = &check.Check{
	ID:    "fault.sntp-bad-reply",
	Title: "Takes no time from a reply that is not in order",
	Why: "Replies for somebody else, from a server without a clock, or cut short come now and then, and forged ones can come at any time. " +
		"A device that believes them stamps its readings with a wrong day, and lets expired certificates in.",
	Pass:         "after a start in which every reply has another request's originate timestamp, mode 3, stratum 0, stratum 16 with leap indicator 3, no transmit timestamp, or 40 bytes, the device does not show the time in it, which is 30 days ahead",
	Fix:          "make the five checks of RFC 4330 section 5 before a reply is used, the originate timestamp first",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"clock.sntp.bad-reply"},
	Sources:      []string{"RFC 4330 section 5", "Zephyr, tests/net/lib/sntp"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      2 * time.Minute,
	Limit:        time.Hour,
	Run:          sntpBadReply,
}

// badReply is what a device made of one kind of reply.
type badReply struct {
	fault       ntp.Fault
	shown       int           // messages with a time
	off         time.Duration // how far its clock was ahead in the one nearest to the lie
	first, last int
}

func sntpBadReply(ctx context.Context, t *check.T) error {
	mark := t.Log.Len()
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	field, ok, err := t.Device.FindClock(ctx, mark, t.Device.Reports())
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("have it publish the time of day in its readings, as a field of a JSON object", "the device does not show its clock in what it publishes")
	}
	var all []badReply
	for _, f := range ntp.Faults() {
		t.Step("start it anew, with replies of this sort: %s", f)
		heal := t.Impair(t.NTP.Do(ntp.Faulty(f, lieAhead)))
		s, mark, err := t.Anew(ctx, t.Device.ConnectWithin()*3/2)
		if err != nil {
			return err
		}
		if s == nil {
			t.Record("it does not come online without the time")
			heal()
			continue
		}
		_, asked, err := t.Device.AwaitTime(ctx, mark, 10*time.Second)
		if err != nil {
			return err
		}
		if asked {
			b := badReply{fault: f, first: mark}
			if b.off, b.shown, err = t.Device.NearestClock(ctx, field, mark, lieAhead, 12*time.Second); err != nil {
				return err
			}
			b.last = t.Log.Len() - 1
			all = append(all, b)
		}
		heal()
	}
	if err := t.Healthy(ctx); err != nil {
		return err
	}
	shown := 0
	for _, b := range all {
		if b.shown > 0 {
			shown++
		}
	}
	if shown == 0 {
		return check.NotApplicable("the device asked for no time when it was started anew, or did not come online without it")
	}
	t.Measure("kinds of bad replies after which it showed its clock", float64(shown), "kinds", "")
	t.Find(judgeBadReplies(all)...)
	return nil
}

func judgeBadReplies(all []badReply) (found []check.Finding) {
	for _, b := range all {
		if b.shown == 0 || b.off < lieAhead/2 || b.off > lieAhead*3/2 {
			continue
		}
		found = append(found, check.Finding{
			Title:    fmt.Sprintf("Takes the time from a reply with this fault: %s", b.fault),
			Expected: "the time that it had before",
			Seen:     fmt.Sprintf("its clock was %.1f days ahead, as the reply said", b.off.Hours()/24),
			Evidence: check.Range(b.first, b.last, "from the start with such replies"),
		})
	}
	return found
}
