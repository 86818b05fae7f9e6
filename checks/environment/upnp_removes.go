package environment

import (
	"context"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// UpnpRemoves switches a device's way from outside on and off.
var UpnpRemoves = &check.Check{
	ID:    "environment.upnp-removes",
	Title: "Opens a port of its router when it is told, and closes it again",
	Why: "A port that stays open leads to whatever gets the device's address next. " +
		"The user who switched the feature off believes that nobody can come in.",
	Pass:         "within 30 s of being switched on a declared port is open, and within 30 s of being switched off no port of the device is",
	Fix:          "send DeletePortMapping for the outer port that the router gave, and look afterwards whether it is gone",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2j", "EN303645:5.6-1"},
	Rows:         []string{"net.upnp"},
	Sources:      []string{"UPnP WANIPConnection:2, sections 2.5.16 and 2.5.18", "limit of 30 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"upnp", "command"}, World: true},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        10 * time.Minute,
	Run: func(ctx context.Context, t *check.T) error {
		return onAndOff(ctx, t, upnp.Behaviour{}, "")
	},
}

// openShut is what a device did when it was switched on and off.
type openShut struct {
	how         string // of the router, as in " of a router that …"; empty: friendly
	open, after []upnp.Mapping
	declared    func(upnp.Mapping) bool
	first       int
}

// onAndOff switches the way from outside on and off before a router that behaves as told, and looks at what is open.
func onAndOff(ctx context.Context, t *check.T, behave upnp.Behaviour, how string) error {
	p, err := withGateway(ctx, t, behave)
	if err != nil {
		return err
	}
	if !p.switches() {
		return check.NotApplicable("its way from outside cannot be switched: local.upnp has no on and off")
	}
	f := openShut{how: how, declared: p.declared, first: t.Log.Len()}
	if err := p.turn(ctx, true); err != nil {
		return err
	}
	if f.open, err = p.await(ctx, mapWithin, func(all []upnp.Mapping) bool { return slices.ContainsFunc(all, p.declared) }); err != nil {
		return err
	}
	if err := t.Clock.Sleep(ctx, 2*time.Second); err != nil { // it may look at what it got
		return err
	}
	if err := p.turn(ctx, false); err != nil {
		return err
	}
	if f.after, err = p.await(ctx, mapWithin, func(all []upnp.Mapping) bool { return len(all) == 0 }); err != nil {
		return err
	}
	t.Record("switched on: %s; switched off: %s", described(f.open), described(f.after))
	t.Find(judgeOpenShut(f)...)
	return nil
}

func judgeOpenShut(f openShut) []check.Finding {
	var found []check.Finding
	if !slices.ContainsFunc(f.open, f.declared) {
		found = append(found, check.Finding{
			Title:    "Does not open a port" + f.how,
			Expected: "a port of local.upnp.ports open within 30 s of being switched on",
			Seen:     described(f.open),
			Evidence: check.Range(f.first, f.first+1<<20, "since it was switched on"),
		})
	}
	if len(f.after) > 0 {
		found = append(found, check.Finding{
			Title:    "Leaves a port open" + f.how,
			Expected: "no open port within 30 s of being switched off",
			Seen:     described(f.after),
			Evidence: check.Range(f.first, f.first+1<<20, "since it was switched on"),
		})
	}
	return found
}
