package environment

import (
	"context"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
)

// IPv6Appears has the home network get IPv6, change its prefix and lose it again.
var IPv6Appears = &check.Check{
	ID:    "environment.ipv6-appears",
	Title: "Works on when its network gets IPv6, another prefix, and loses it again",
	Why: "Providers switch IPv6 on one night, without a word, and give another prefix the next. " +
		"Devices whose stack learns of it for the first time have hung on that day, a whole town at once.",
	Pass:         "while its home network gets an IPv6 prefix, another one in its place, and none, 15 s each, it answers over IPv4, or comes back by itself within twice its reconnect cap and 10 s",
	Fix:          "let addresses come and go without touching connections that do not use them; close those that do",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"net.ipv6.slaac"},
	Sources:      []string{"RFC 4862 section 5.5", "RFC 8978 (renumbering)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      60 * time.Second,
	Limit:        30 * time.Minute,
	Run:          ipv6Appears,
}

func ipv6Appears(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	globals := globalAddresses(t)
	mark, router := t.Log.Len(), t.World.Home().Router
	for _, next := range []struct {
		step string
		do   func() error
	}{
		{"give its network the prefix " + homePrefix.String(), func() error { return delegate(t, homePrefix) }},
		{"give it the prefix " + nextPrefix.String() + " in its place", func() error {
			if err := t.World.Delegate(t.World.Home(), nextPrefix); err != nil {
				return err
			}
			t.Impair(router.Advertise(&internet.Advertisement{Prefix: homePrefix, Router: 30 * time.Minute}))
			return nil
		}},
		{"take IPv6 away", func() error {
			t.Impair(router.Advertise(&internet.Advertisement{Prefix: nextPrefix}))
			return t.World.Delegate(t.World.Home(), netip.Prefix{})
		}},
	} {
		t.Step("%s", next.step)
		if err := next.do(); err != nil {
			return err
		}
		if err := t.Clock.Sleep(ctx, 15*time.Second); err != nil {
			return err
		}
	}
	t.Record("it sent packets from %d addresses of the first prefix", len(globals()))
	p, err := t.Device.Probe(ctx, s, mark, 2*t.Device.Cap()+10*time.Second)
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "IPv6 came, changed and went")...)
	return nil
}
