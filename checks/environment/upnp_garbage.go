package environment

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/upnp"
)

// UpnpGarbage has the router answer with what is no XML, or point elsewhere.
var UpnpGarbage = &check.Check{
	ID:    "environment.upnp-garbage",
	Title: "Copes with a router that answers garbage or points elsewhere",
	Why: "Anyone in the home network can answer the search for a router. " +
		"A device that believes all of it crashes on a broken router, or is led to any server that a neighbour likes.",
	Pass: "with a description that is cut short in the middle of a tag, with a LOCATION on a closed port and with one that is https, for 15 s each: no crash, and commands are carried out afterwards; " +
		"with a LOCATION on a host of the internet it makes no connection there",
	Fix:          "parse with limits, and drop every answer whose LOCATION is not http on the host that it came from",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h", "CRA:I.2j", "EN303645:5.9-1"},
	Rows:         []string{"net.upnp"},
	Sources:      []string{"CVE-2020-12695 (CallStranger: UPnP devices led to hosts elsewhere)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"upnp"}, World: true},
	Impact:       check.Disturbs,
	Typical:      80 * time.Second,
	Limit:        15 * time.Minute,
	Run:          upnpGarbage,
}

func upnpGarbage(ctx context.Context, t *check.T) error {
	elsewhere, visits, err := stranger(t)
	if err != nil {
		return err
	}
	router := t.World.Home().Router.LAN().Addr()
	ways := []struct {
		during string
		b      upnp.Behaviour
	}{
		{"when its router answers garbage", upnp.Behaviour{Garbage: true}},
		{"when its router points to a closed port", upnp.Behaviour{Location: fmt.Sprintf("http://%s:9/description.xml", router)}},
		{"when its router points to https", upnp.Behaviour{Location: fmt.Sprintf("https://%s:%d/description.xml", router, upnp.Port)}},
		{"when its router points elsewhere", upnp.Behaviour{Location: fmt.Sprintf("http://%s/description.xml", elsewhere)}},
	}
	p, err := withGateway(ctx, t, ways[0].b)
	if err != nil {
		return err
	}
	if !p.switches() {
		return check.NotApplicable("its way from outside cannot be switched: local.upnp has no on and off")
	}
	for _, w := range ways {
		mark := t.Log.Len()
		heal := t.Impair(p.gateway.Set(func(b *upnp.Behaviour) { *b = w.b }))
		if err := p.turn(ctx, true); err != nil {
			return err
		}
		if err := t.Clock.Sleep(ctx, 15*time.Second); err != nil {
			return err
		}
		if searches(t.Log.Since(mark)) == 0 {
			t.Record("it did not search for a router %s", w.during)
		}
		if len(crashes(t, mark)) > 0 {
			return p.unharmed(ctx, mark, w.during)
		}
		if err := p.turn(ctx, false); err != nil {
			return err
		}
		heal()
	}
	if searches(t.Log.Since(0)) == 0 {
		return check.NotRun("see that upnp.on makes it search for a router", "it did not search for a router")
	}
	t.Find(judgeVisits(int(visits.Load()), elsewhere)...)
	return p.unharmed(ctx, t.Log.Len(), "in which its router answers garbage")
}

// stranger is a server of the internet that counts who connects to it.
func stranger(t *check.T) (netip.AddrPort, *atomic.Int64, error) {
	visits := new(atomic.Int64)
	addr, err := t.World.Name("stranger.example")
	if err != nil {
		return netip.AddrPort{}, nil, err
	}
	at := netip.AddrPortFrom(addr, 8080)
	l, err := t.World.Servers.Listen(at)
	if err != nil {
		return at, nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			visits.Add(1)
			t.Log.Add(evidence.Event{Part: "stranger", Kind: evidence.Seen, Text: "connection from " + c.RemoteAddr().String()})
			_ = c.Close()
		}
	}()
	t.Undo(func() {
		_ = l.Close()
		<-ended
	})
	return at, visits, nil
}

func judgeVisits(visits int, at netip.AddrPort) []check.Finding {
	if visits == 0 {
		return nil
	}
	return []check.Finding{{
		Title:    "Follows an answer to its search to a host elsewhere",
		Expected: "no connection to " + at.String() + ", which is not the host that answered",
		Seen:     fmt.Sprintf("%d connections", visits),
	}}
}
