package environment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// mapWithin is how long a device may take to open or to close a port that it was told to.
const mapWithin = 30 * time.Second

// porter is a device that can be made to open a port of the router.
type porter struct {
	t       *check.T
	gateway *upnp.Gateway
	session *testbed.Session
	upnp    *product.UPnP
}

// withGateway opens a router with UPnP, which behaves as told, and has the device online in its network.
func withGateway(ctx context.Context, t *check.T, behave upnp.Behaviour) (*porter, error) {
	g, err := t.Gateway()
	if err != nil {
		return nil, err
	}
	t.Impair(g.Set(func(b *upnp.Behaviour) { *b = behave }))
	s, err := t.Online(ctx)
	if err != nil {
		return nil, err
	}
	p := &porter{t: t, gateway: g, session: s}
	if t.Device.Part.Local != nil {
		p.upnp = t.Device.Part.Local.UPnP
	}
	return p, nil
}

// switches reports whether the device opens ports when it is told to; else it does so by itself.
func (p *porter) switches() bool { return p.upnp != nil && p.upnp.On != "" }

// turn switches the way from outside on or off, on the device's present connection, where that can be switched.
func (p *porter) turn(ctx context.Context, on bool) error {
	if !p.switches() {
		return nil
	}
	payload, word := p.upnp.Off, "off"
	if on {
		payload, word = p.upnp.On, "on"
	}
	p.t.Step("switch its way from outside %s", word)
	mark := p.t.Log.Len()
	c := p.t.Device.Order(payload)
	if err := p.session.Send(c); err != nil {
		return check.NotRun("", "the connection ended before it could be switched %s", word)
	}
	if _, err := p.t.Device.AwaitEffect(ctx, c, mark, 10*time.Second); err != nil {
		return check.NotRun("see that the payloads upnp.on and upnp.off show the declared effect", "switched %s: %v", word, err)
	}
	return nil
}

// declared reports whether a mapping leads to a port that may be reached from the internet.
func (p *porter) declared(m upnp.Mapping) bool {
	return p.upnp != nil && slices.Contains(p.upnp.Ports, int(m.Client.Port()))
}

// await looks every 250 ms for what holds of the open ports, up to within, and returns them as they are at last.
func (p *porter) await(ctx context.Context, within time.Duration, holds func([]upnp.Mapping) bool) ([]upnp.Mapping, error) {
	end := p.t.Clock.Now().Add(within + slack(p.t))
	for {
		all := p.gateway.Mappings()
		if holds(all) || !p.t.Clock.Now().Before(end) {
			return all, nil
		}
		if err := p.t.Clock.Sleep(ctx, 250*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// opened waits until a declared port is open. It is the control of what follows: the error is a not-run when none is.
func (p *porter) opened(ctx context.Context) ([]upnp.Mapping, error) {
	all, err := p.await(ctx, mapWithin, func(all []upnp.Mapping) bool { return slices.ContainsFunc(all, p.declared) })
	if err == nil && !slices.ContainsFunc(all, p.declared) {
		return all, check.NotRun("see environment.upnp-removes", "the device opened no declared port of the router within %s", mapWithin)
	}
	return all, err
}

// calls are the actions of the device among events: of one name, or of all when it is empty. They come from the router's events of kind In,
// or, with their outcomes, of kind Out.
func calls(events []evidence.Event, kind evidence.Kind, name string) []*upnp.Call {
	var all []*upnp.Call
	for _, e := range events {
		if c, ok := e.Data.(*upnp.Call); ok && e.Kind == kind && (name == "" || c.Action == name) {
			all = append(all, c)
		}
	}
	return all
}

// adding are the requests for a port among events.
func adding(events []evidence.Event) []*upnp.Call {
	return slices.Concat(calls(events, evidence.In, "AddPortMapping"), calls(events, evidence.In, "AddAnyPortMapping"))
}

// searches is how often the device searched for a gateway device among events. It may send each search up to three times.
func searches(events []evidence.Event) (n int) {
	for _, e := range events {
		if _, ok := e.Data.(*upnp.Search); ok && e.Kind == evidence.In {
			n++
		}
	}
	return n
}

// crashes are the ends of the device's process among events.
func crashes(t *check.T, mark int) []evidence.Event {
	var all []evidence.Event
	for _, e := range t.Log.Since(mark) {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			all = append(all, e)
		}
	}
	return all
}

// unharmed finds when the device crashed since mark, or does not work any more; during is as in "while its router refuses".
func (p *porter) unharmed(ctx context.Context, mark int, during string) error {
	if ended := crashes(p.t, mark); len(ended) > 0 {
		p.t.Find(check.Finding{
			Severity: check.Blocker,
			Title:    check.Ended(ended[0].Text) + " " + during,
			Expected: "it works on, reachable through its cloud",
			Seen:     fmt.Sprintf("its process ended by itself %d times (%s)", len(ended), ended[0].Text),
			Evidence: check.Range(mark, ended[0].N, "until the exit"),
		})
		return nil
	}
	probe, err := p.t.Device.Probe(ctx, p.session, mark, p.t.Device.Patience())
	if err != nil {
		return err
	}
	p.t.Find(check.Alive(probe, "a time "+during)...)
	return nil
}

func described(all []upnp.Mapping) string {
	if len(all) == 0 {
		return "no port is open"
	}
	text := ""
	for i, m := range all {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %d to %s", m.Protocol, m.External, m.Client)
	}
	return text
}
