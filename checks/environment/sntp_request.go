package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/ntp"
)

const (
	timeWithin  = time.Minute      // that a device asks for the time after its start
	timeLooked  = 30 * time.Second // at how often it asks when all is well
	timeAtMost  = 10               // requests in timeLooked: a burst of eight is usual at the start
	timeStarted = 3                // starts to compare
)

// SNTPRequest looks at the requests that a device sends to time servers.
var SNTPRequest = &check.Check{
	ID:    "environment.sntp-request",
	Title: "Asks for the time as the protocol says",
	Why: "The transmit timestamp of a request is what shows that a reply belongs to it: where it is always the same, anybody can set the clock. " +
		"Time servers do not answer other modes than 3, and shut out who asks every second.",
	Pass:         "requests of mode 3 and version 1 to 4, with a transmit timestamp that is not 0 and differs from request to request over 3 starts, and at most 10 requests within 30 s when all is well",
	Fix:          "put a random number into the transmit timestamp of every request, and keep it until the reply has come",
	Severity:     check.Minor,
	Requirements: []string{"CRA:I.2f"},
	Rows:         []string{"clock.sntp.request"},
	Sources:      []string{"RFC 4330 section 5", "RFC 4330 section 10", "Zephyr, tests/net/lib/sntp"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      45 * time.Second,
	Limit:        30 * time.Minute,
	Run:          sntpRequest,
}

func sntpRequest(ctx context.Context, t *check.T) error {
	for n := range timeStarted {
		t.Step("start it, and wait for its request to a time server")
		mark := t.Log.Len()
		if n > 0 {
			if err := t.Device.Fresh(ctx); err != nil {
				return err
			}
		}
		if err := t.Device.Start(ctx); err != nil {
			return fmt.Errorf("start %s: %w", t.Device.Part.Name, err)
		}
		asked, err := awaitRequest(ctx, t, mark)
		if err != nil {
			return err
		}
		if !asked && n == 0 {
			return check.NotApplicable("the device asked no time server within %s of its start", timeWithin)
		}
	}
	mark := t.Log.Len()
	if err := t.Clock.Sleep(ctx, timeLooked); err != nil {
		return err
	}
	often := len(testbed.TimeRequests(t.Log.Since(mark)))
	all := testbed.TimeRequests(t.Log.Since(0))
	t.Measure("requests", float64(len(all)), "requests", "")
	t.Find(judgeRequests(all, often)...)
	return nil
}

// awaitRequest waits for a request to a time server in the events from mark on.
func awaitRequest(ctx context.Context, t *check.T, mark int) (bool, error) {
	end := t.Clock.Now().Add(timeWithin)
	for t.Clock.Now().Before(end) {
		if len(testbed.TimeRequests(t.Log.Since(mark))) > 0 {
			return true, nil
		}
		if err := t.Clock.Sleep(ctx, 500*time.Millisecond); err != nil {
			return false, err
		}
	}
	return false, nil
}

func judgeRequests(all []testbed.TimeRequest, often int) (found []check.Finding) {
	seen := map[ntp.Timestamp]bool{}
	zero := 0
	for _, r := range all {
		p := r.Packet
		if (p.Mode != ntp.Client || p.Version < 1 || p.Version > 4) && len(found) == 0 {
			found = append(found, check.Finding{
				Severity: check.Major,
				Title:    "Asks time servers with what is no client's request",
				Expected: "mode 3, version 1 to 4",
				Seen:     fmt.Sprintf("mode %d, version %d", p.Mode, p.Version),
				Evidence: check.Range(r.N, r.N, "the request"),
			})
		}
		if p.Transmit == 0 {
			zero++
		}
		seen[p.Transmit] = true
	}
	if len(all) > 1 && (len(seen) < len(all) || zero > 0) {
		found = append(found, check.Finding{
			Title:    "Sends the same transmit timestamp to time servers again and again",
			Expected: "another one in every request, and never 0",
			Seen:     fmt.Sprintf("%d different ones in %d requests, %d times 0", len(seen), len(all), zero),
		})
	}
	if often > timeAtMost {
		found = append(found, check.Finding{
			Severity: check.Major,
			Title:    "Asks for the time all the time",
			Expected: fmt.Sprintf("at most %d requests in %s", timeAtMost, timeLooked),
			Seen:     fmt.Sprintf("%d requests, although all were answered", often),
		})
	}
	return found
}
