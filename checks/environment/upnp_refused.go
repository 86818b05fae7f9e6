package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// UpnpRefused has the router refuse every port, in the ways in which real ones do.
var UpnpRefused = &check.Check{
	ID:    "environment.upnp-refused",
	Title: "Copes with a router that refuses to open a port",
	Why: "Routers refuse for a dozen reasons, and answer with error numbers that nobody tested. " +
		"A device that takes it badly restarts in a loop, in just these homes.",
	Pass:         "for each of the UPnP errors 718, 725, 501 and 606, given to all requests for 20 s: no crash, at most 10 requests, and commands are carried out afterwards",
	Fix:          "handle every error of UPnP in one way: give up, and try again after minutes; only 718 and 725 have an answer, once",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"net.upnp"},
	Sources:      []string{"UPnP WANIPConnection:2, section 2.5.16 (error codes)", "limit of 10 requests: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"upnp"}, World: true},
	Impact:       check.Disturbs,
	Typical:      100 * time.Second,
	Limit:        15 * time.Minute,
	Run:          upnpRefused,
}

// mostRequests is how often a device may ask again within 20 s.
const mostRequests = 10

// refusal is one error and what a device made of it.
type refusal struct {
	code        int
	requests    int
	first, last int
}

func upnpRefused(ctx context.Context, t *check.T) error {
	p, err := withGateway(ctx, t, upnp.Behaviour{Refuse: upnp.Conflict})
	if err != nil {
		return err
	}
	codes := []int{upnp.Conflict, upnp.OnlyPermanent, upnp.ActionFailed, upnp.NotAuthorized}
	if !p.switches() {
		codes = codes[:1] // it asks once, by itself
	}
	asked := 0
	for _, code := range codes {
		r := refusal{code: code, first: t.Log.Len()}
		if !p.switches() {
			r.first = 0
		}
		heal := t.Impair(p.gateway.Set(func(b *upnp.Behaviour) { b.Refuse = code }))
		t.Step("refuse every port with error %d", code)
		if err := p.turn(ctx, true); err != nil {
			return err
		}
		if err := t.Clock.Sleep(ctx, 20*time.Second); err != nil {
			return err
		}
		r.requests, r.last = len(adding(t.Log.Since(r.first))), t.Log.Len()-1
		asked += r.requests
		t.Find(judgeRefusal(r)...)
		if ended := crashes(t, r.first); len(ended) > 0 {
			return p.unharmed(ctx, r.first, fmt.Sprintf("when its router refuses a port with error %d", code))
		}
		if err := p.turn(ctx, false); err != nil {
			return err
		}
		heal()
	}
	if asked == 0 {
		return check.NotRun("see environment.upnp-removes", "the device asked for no port")
	}
	return p.unharmed(ctx, t.Log.Len(), "in which its router refuses ports")
}

func judgeRefusal(r refusal) []check.Finding {
	if r.requests <= mostRequests {
		return nil
	}
	return []check.Finding{{
		Title:    "Asks again and again for a port that its router refuses",
		Expected: fmt.Sprintf("at most %d requests in 20 s", mostRequests),
		Seen:     fmt.Sprintf("%d requests, each refused with error %d", r.requests, r.code),
		Evidence: check.Range(r.first, r.last, "the requests"),
	}}
}
