package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/portal"
	"github.com/shakedown-test/shakedown/world/web"
)

const (
	shutFor   = time.Minute      // the longest that the portal is shut
	shutTries = 4                // connections after which enough was seen
	recheck   = 60 * time.Second // so soon after it opens the device must be back
)

// HTTPCaptive shuts a captive portal around the device, and opens it again.
var HTTPCaptive = &check.Check{
	ID:    "environment.http-captive",
	Title: "Takes nothing from a captive portal, and is back soon after it opens",
	Why: "Hotels, trains and offices answer everything with their login page until somebody accepts it. Devices have taken the page for " +
		"their configuration, told it their tokens, or slept on for hours when the network was open at last.",
	Pass: "over https no request goes to a portal that has a certificate of its own name; over http nothing of the page takes effect; the device " +
		"does not crash, and a document takes effect within 60 s of the portal's opening (later: major; not at all: blocker)",
	Fix:          "verify certificates always; look at status, type and content of an answer; try again at least once a minute while the network is there",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2e", "EN303645:5.5-1", "EN303645:5.9-3"},
	Rows:         []string{"http.captive"},
	Sources:      []string{"RFC 8952", "RFC 8910", "the limit of 60 s is ours"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.HTTP, Declares: []string{"http"}},
	Impact:       check.Disturbs,
	Typical:      90 * time.Second,
	Limit:        time.Hour,
	Run:          httpCaptive,
}

// captivity is what a device did while a portal was shut, and after.
type captivity struct {
	manner  portal.Manner
	secure  bool
	tries   int          // connections to the portal
	told    *web.Request // the first request that came to the portal; nil: none
	exits   int
	back    time.Duration // from the opening to the next document in effect; 0: it did not come
	waited  time.Duration // for that
	first   int
	last    int
	console string // the last that the device printed while the portal was shut
}

func httpCaptive(ctx context.Context, t *check.T) error {
	if err := t.Fetches(ctx); err != nil {
		return err
	}
	p, err := t.Captive()
	if err != nil {
		return err
	}
	manners := []portal.Manner{portal.Redirects}
	if !t.Web.Secure {
		manners = append(manners, portal.Serves)
	}
	for _, m := range manners {
		c := captivity{manner: m, secure: t.Web.Secure, first: t.Log.Len()}
		t.Step("shut a captive portal that %s", m)
		heal := t.Impair(p.Shut(m))
		if err := c.look(ctx, t); err != nil {
			return err
		}
		t.Step("open it")
		doc := t.Device.Document()
		t.Device.Offer(doc)
		mark, opened := t.Log.Len(), t.Clock.Now()
		heal()
		c.waited = max(recheck, t.Device.Cap()+t.Device.Every())
		e, ok, err := t.Device.AwaitDocument(ctx, doc, mark, c.waited)
		if err != nil {
			return err
		}
		if ok {
			c.back = e.At.Sub(opened)
			t.MeasureTime("opening of the portal to the next document in effect", c.back, "<= 60 s")
		}
		c.last = t.Log.Len() - 1
		if c.tries == 0 && c.exits == 0 {
			return check.NotRun("see in the evidence what it does while the portal is shut", "no connection to the portal within %.0f s", shutFor.Seconds())
		}
		found := judgeCaptivity(c, t.Clock.Device(250*time.Millisecond))
		t.Find(found...)
		if len(found) > 0 {
			return nil
		}
	}
	return nil
}

// look waits until the device has tried often enough, and gathers what it did.
func (c *captivity) look(ctx context.Context, t *check.T) error {
	wait, cancel := t.Clock.Timeout(ctx, shutFor)
	defer cancel()
	part := t.Web.Link.Name()
	_, err := t.Log.Await(wait, c.first, func(e evidence.Event) bool {
		if e.Kind == evidence.Open && (e.Part == part || e.Part == testbed.PortalPart) {
			c.tries++
		}
		return c.tries >= shutTries || t.Device.Ends(e)
	})
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	for _, e := range t.Log.Since(c.first) {
		q, ok := web.Got(e)
		switch {
		case ok && e.Part == testbed.PortalPart && c.told == nil:
			c.told = q
		case e.Kind == evidence.Exit && e.Part == t.Device.Part.Name:
			c.exits++
		case e.Kind == evidence.Console && e.Part == t.Device.Part.Name:
			c.console = e.Text
		}
	}
	t.Record("%d connections to the portal; last on its console: %s", c.tries, c.console)
	return nil
}

func judgeCaptivity(c captivity, slack time.Duration) []check.Finding {
	ev := check.Range(c.first, c.last, "from the shutting of the portal to the end of the wait")
	var found []check.Finding
	if c.exits > 0 {
		found = append(found, check.Finding{
			Title: "Exits behind a captive portal", Expected: "it goes on trying", Seen: fmt.Sprintf("its process ended %d times", c.exits), Evidence: ev,
		})
	}
	if c.secure && c.told != nil {
		found = append(found, check.Finding{
			Title: "Speaks to a captive portal as if it were its API", Expected: "no request over TLS with a certificate of another name",
			Seen: "the portal got " + c.told.String(), Evidence: ev,
		})
	}
	switch {
	case c.back == 0:
		found = append(found, check.Finding{
			Title: "Stays away after a captive portal has opened", Expected: fmt.Sprintf("a document takes effect within %.0f s", recheck.Seconds()),
			Seen: fmt.Sprintf("none did within %.0f s", c.waited.Seconds()), Evidence: ev,
		})
	case c.back > recheck+2*time.Second+slack:
		found = append(found, check.Finding{
			Severity: check.Major, Title: "Is back late after a captive portal has opened",
			Expected: fmt.Sprintf("a document takes effect within %.0f s", recheck.Seconds()), Seen: fmt.Sprintf("it took %.0f s", c.back.Seconds()), Evidence: ev,
		})
	}
	return found
}
