package environment

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/dhcp"
	"github.com/shakedown-test/shakedown/world/dns"
)

// RouterReboot restarts the router: its services come up one after the other.
var RouterReboot = &check.Check{
	ID:    "environment.router-reboot",
	Title: "Comes back by itself after its router restarted",
	Why: "Routers restart: an update at night, a power strip, a provider's order. For a minute or two the air, DHCP and DNS come back one after the other. " +
		"Devices that give up in between are what support lines hear of the next morning.",
	Pass:         "after a reboot in which the link is down for 90 s, DHCP comes 10 s later and DNS 10 s after that, it is online within 120 s of DNS, or twice its reconnect cap where that is declared to be longer, without a power cycle",
	Fix:          "treat every failure of link, DHCP, DNS, TCP and TLS alike: wait and try again, without end",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-2", "EN303645:5.9-3"},
	Rows:         []string{"net.router.reboot"},
	Sources:      []string{"github.com/espressif/arduino-esp32 issue 2968", "github.com/esp8266/Arduino issue 3150"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      4 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          routerReboot,
}

func routerReboot(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	c := comeback{after: "its router restarted", since: "the last of the router's services", within: serviceWithin(t), first: t.Log.Len()}
	t.Step("restart the router: its network is down for 90 s")
	if err := restartRouter(ctx, t, 90*time.Second); err != nil {
		return err
	}
	if _, err := c.await(ctx, t, t.Clock.Now()); err != nil {
		return err
	}
	t.Find(judgeComeback(c)...)
	return nil
}

// serviceWithin is how long a device may take to come online once all services of its network are there.
func serviceWithin(t *check.T) time.Duration {
	if t.Product.Declared.ReconnectCap == 0 {
		return 120*time.Second + lag(t)
	}
	return max(120*time.Second, 2*t.Device.Cap()) + lag(t)
}

// restartRouter takes the router and its network down, and has its services come back one after the other: the link, DHCP, DNS.
func restartRouter(ctx context.Context, t *check.T, down time.Duration) error {
	linked := t.Impair(t.Access.Outage())
	up := t.Impair(t.World.Home().Router.Reboot())
	leasing := t.Impair(t.DHCP.Set(func(l *dhcp.Leases) { l.Silent = dhcp.Everything }))
	naming := t.Impair(t.DNS.Do(dns.Silent()))
	t.DHCP.Forget()
	for _, next := range []struct {
		after time.Duration
		come  func()
	}{{down, func() { linked(); up() }}, {10 * time.Second, leasing}, {10 * time.Second, naming}} {
		if err := t.Clock.Sleep(ctx, next.after); err != nil {
			return err
		}
		next.come()
	}
	return nil
}
