package environment

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MulticastOff has the home network lose all multicast.
var MulticastOff = &check.Check{
	ID:    "environment.multicast-off",
	Title: "Can be found in a network that loses multicast",
	Why: "Access points with IGMP snooping or client isolation lose multicast, and so does every second guest network. " +
		"The app then does not find the device that stands beside it, although both are online.",
	Pass:         "in a home network that loses multicast the device gets online, and within 30 s tells its address there on the declared fallback topic",
	Fix:          "have the device tell its cloud the address that it has in the home network, and the app ask the cloud when multicast finds nothing",
	Severity:     check.Major,
	Incidents:    []string{"INC-096"},
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"net.multicast-off"},
	Sources:      []string{"limit of 30 s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"fallback"}, World: true},
	Impact:       check.Disturbs,
	Typical:      10 * time.Second,
	Limit:        10 * time.Minute,
	Run:          multicastOff,
}

// fallbackWithin is how long a device that is online may take to tell its address.
const fallbackWithin = 30 * time.Second

func multicastOff(ctx context.Context, t *check.T) error {
	t.Step("lose all multicast in the home network, and power on")
	heal := t.Impair(t.World.Home().Switch.DropMulticast())
	s, err := t.Device.Online(ctx)
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return err
	}
	if err != nil {
		if err := bringBack(ctx, t, heal); err != nil { // the control
			return err
		}
		t.Find(check.Finding{
			Severity: check.Blocker,
			Title:    "Does not get online in a network that loses multicast",
			Expected: fmt.Sprintf("an accepted connection within %s", t.Device.ConnectWithin()),
			Seen:     err.Error() + "; it got online in an ordinary network",
		})
		return nil
	}
	topic := product.Fill(t.Device.Part.Local.Fallback, t.Device.ID, 0, "")
	wait, cancel := t.Clock.Timeout(ctx, fallbackWithin+slack(t))
	defer cancel()
	told, last := false, ""
	_, _ = t.Log.Await(wait, s.Mark, func(e evidence.Event) bool { // what is missing is judged
		p, ok := e.Data.(*mqtt.Packet)
		if !ok || e.Kind != evidence.In || p.Type != mqtt.PUBLISH || !mqtt.Match(topic, p.Topic) {
			return false
		}
		last = string(p.Payload)
		told = holdsAddress(last, t.World.Home().Router.LAN())
		return told
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.Find(judgeFallback(topic, told, last)...)
	return nil
}

var ipv4 = regexp.MustCompile(`\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b`)

// holdsAddress reports whether a text holds an address of a network, other than the router's.
func holdsAddress(text string, network netip.Prefix) bool {
	for _, word := range ipv4.FindAllString(text, 32) {
		if a, err := netip.ParseAddr(word); err == nil && network.Contains(a) && a != network.Addr() {
			return true
		}
	}
	return false
}

func judgeFallback(topic string, told bool, last string) []check.Finding {
	if told {
		return nil
	}
	seen := "no message on it"
	if last != "" {
		seen = fmt.Sprintf("the last message holds no address of the home network: %.80q", last)
	}
	return []check.Finding{{
		Title:    "Does not tell its address where multicast is lost",
		Expected: "a message on " + topic + " with its address in the home network within 30 s",
		Seen:     seen,
	}}
}

// bringBack heals the world for a device that did not get online, and starts it anew.
func bringBack(ctx context.Context, t *check.T, heal func()) error {
	heal()
	mark := t.Log.Len()
	if err := t.Device.Restart(ctx); err != nil {
		return err
	}
	_, err := t.Device.NextSession(ctx, mark, t.Device.ConnectWithin()*3/2)
	return check.Offline(err)
}
