package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// UpnpExposure gives a device a router that opens every port that it is asked for.
var UpnpExposure = &check.Check{
	ID:    "environment.upnp-exposure",
	Title: "Opens no port to the internet beyond those that are declared",
	Why: "Cameras and recorders opened their ports by UPnP, nobody knew, and worms found them within minutes. " +
		"A router opens them for whoever asks in the home network.",
	Pass: "with a router that opens ports on request none leads to a port of the device that the product file does not declare under local.upnp.ports, " +
		"and where the way from outside can be switched none is open before it is switched on; looked at for 20 s after going online and for 20 s after it is switched on",
	Fix:          "switch UPnP off in every library that brings it along; open ports only when the user wishes it, and only those that are hardened for it",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2j", "EN303645:5.6-1"},
	Rows:         []string{"net.upnp"},
	Sources:      []string{"ETSI EN 303 645, provision 5.6-1"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Observes,
	Typical:      45 * time.Second,
	Limit:        10 * time.Minute,
	Run:          upnpExposure,
}

// exposed is what a device opened.
type exposed struct {
	switched      bool // it is told when to open ports
	before, after []upnp.Mapping
	declared      func(upnp.Mapping) bool
}

func upnpExposure(ctx context.Context, t *check.T) error {
	p, err := withGateway(ctx, t, upnp.Behaviour{})
	if err != nil {
		return err
	}
	f := exposed{switched: p.switches(), declared: p.declared}
	t.Step("look for 20 s at which ports it opens")
	if f.before, err = p.collect(ctx); err != nil {
		return err
	}
	if f.switched {
		if err := p.turn(ctx, true); err != nil {
			return err
		}
		if f.after, err = p.collect(ctx); err != nil {
			return err
		}
	}
	t.Record("before it is switched on: %s; afterwards: %s", described(f.before), described(f.after))
	t.Find(judgeExposed(f)...)
	return nil
}

// collect are the ports that are open at any time within 20 s.
func (p *porter) collect(ctx context.Context) ([]upnp.Mapping, error) {
	seen := map[string]bool{}
	var all []upnp.Mapping
	_, err := p.await(ctx, 20*time.Second, func(now []upnp.Mapping) bool {
		for _, m := range now {
			if k := described([]upnp.Mapping{m}); !seen[k] {
				seen[k] = true
				all = append(all, m)
			}
		}
		return false
	})
	return all, err
}

func judgeExposed(f exposed) []check.Finding {
	var found []check.Finding
	if f.switched && len(f.before) > 0 {
		found = append(found, check.Finding{
			Title:    "Opens a port to the internet without being told",
			Expected: "no open port before the way from outside is switched on",
			Seen:     described(f.before),
		})
	}
	once := map[uint16]bool{}
	for _, list := range [][]upnp.Mapping{f.before, f.after} {
		for _, m := range list {
			if f.declared(m) || once[m.Client.Port()] {
				continue
			}
			once[m.Client.Port()] = true
			found = append(found, check.Finding{
				Title:    fmt.Sprintf("Opens its port %d to the internet", m.Client.Port()),
				Expected: "only ports that are declared under local.upnp.ports",
				Seen:     described([]upnp.Mapping{m}) + fmt.Sprintf(", described as %q", m.Description),
			})
		}
	}
	return found
}

// leases are the leases that a device asked for among events.
func leases(events []evidence.Event) (all []time.Duration) {
	for _, c := range adding(events) {
		all = append(all, c.Lease)
	}
	return all
}
