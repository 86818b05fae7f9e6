package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// leastPoll is the shortest pause that a client may make after a kiss of death.
const leastPoll = 16 * time.Second

// SNTPKiss has the time servers send kisses of death: one denies, the other says that it is asked too often.
var SNTPKiss = &check.Check{
	ID:    "environment.sntp-kiss",
	Title: "Leaves a time server alone that asks for it",
	Why: "A kiss of death is the last thing that an overloaded server can say before its owner blocks the whole maker. " +
		"Devices that go on asking lose their clock then, and with it TLS.",
	Pass:         "after a reply of kiss code DENY or RATE no request to that server within 16 s, and after a second RATE a pause that is not shorter than the one before",
	Fix:          "stop asking a server that says DENY or RSTR, and at least double the pause for one that says RATE",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2i"},
	Rows:         []string{"clock.sntp.kod"},
	Sources:      []string{"RFC 5905 section 7.4", "RFC 4330 section 8"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      100 * time.Second,
	Limit:        30 * time.Minute,
	Run:          sntpKiss,
}

// kissed is what a device did after the kisses of one server.
type kissed struct {
	server, code string
	kisses       []time.Time // when they were sent
	asked        []time.Time
}

func sntpKiss(ctx context.Context, t *check.T) error {
	codes := []string{"DENY", "RATE"}
	var heals []func()
	for i, s := range t.NTP.Servers {
		heals = append(heals, t.Impair(s.Do(ntp.Kiss(codes[i%2]))))
	}
	t.Step("start it, and answer its requests for the time with DENY and RATE")
	mark := t.Log.Len()
	if err := t.Device.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
	}
	asked, err := awaitRequest(ctx, t, mark)
	if err != nil {
		return err
	}
	if !asked {
		return check.NotApplicable("the device asked no time server within %s of its start", timeWithin)
	}
	if err := t.Clock.Sleep(ctx, 90*time.Second); err != nil {
		return err
	}
	all := map[string]*kissed{}
	for _, e := range t.Log.Since(mark) {
		k := all[e.Part]
		if k == nil {
			k = &kissed{server: e.Part}
			all[e.Part] = k
		}
		if r, ok := ntp.Replied(e); ok {
			k.kisses, k.code = append(k.kisses, e.At), r.Packet.Kiss()
		}
		if _, ok := ntp.Asked(e); ok {
			k.asked = append(k.asked, e.At)
		}
	}
	for _, heal := range heals {
		heal()
	}
	t.Measure("requests", float64(len(testbed.TimeRequests(t.Log.Since(mark)))), "requests", "")
	for _, k := range all {
		t.Find(judgeKissed(*k)...)
	}
	return t.Healthy(ctx)
}

func judgeKissed(k kissed) []check.Finding {
	if len(k.kisses) == 0 {
		return nil
	}
	var gaps []time.Duration // from a kiss to the next request to the same server
	for _, at := range k.kisses {
		for _, q := range k.asked {
			if q.After(at) {
				gaps = append(gaps, q.Sub(at))
				break
			}
		}
	}
	for _, g := range gaps {
		if g < leastPoll {
			return []check.Finding{{
				Title:    fmt.Sprintf("Goes on asking a time server that says %s", k.code),
				Expected: fmt.Sprintf("no request to it within %s", leastPoll),
				Seen:     fmt.Sprintf("%s was asked again after %.1f s, and %d times in all", k.server, g.Seconds(), len(k.asked)),
			}}
		}
	}
	if n := len(gaps); k.code == "RATE" && n > 1 && float64(gaps[n-1]) < 0.9*float64(gaps[0]) {
		return []check.Finding{{
			Severity: check.Minor,
			Title:    "Asks a time server that says RATE more often than before",
			Seen:     fmt.Sprintf("%s was asked again %.1f s after its first kiss, and %.1f s after its last", k.server, gaps[0].Seconds(), gaps[n-1].Seconds()),
		}}
	}
	return nil
}
