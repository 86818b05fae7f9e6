package environment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/origin"
)

// NatUDP has the router forget UDP mappings that are not used.
var NatUDP = &check.Check{
	ID:    "environment.nat-udp",
	Title: "Can be reached behind a router that forgets UDP mappings after 30 s",
	Why: "Home routers forget a UDP mapping that was not used for 30 s to 2 minutes. From then on nothing that the cloud sends arrives, " +
		"and a setting that is changed in the app comes into force hours later, or never.",
	Pass: "settings that change when the device was not heard for longer than its router keeps a mapping (30 s; 120 s too where the device is ever that quiet) " +
		"reach it within the life of the mapping and 60 s of when it was heard last; one that needs more than 30 s is minor",
	Fix:      "send something every 25 s, or ask for the observed resource again as soon as the Max-Age of the last notification is over",
	Severity: check.Major,
	Rows:     []string{"net.nat.udp"},
	Sources:  []string{"RFC 4787, REQ-5", "RFC 7641 section 3.3.1", "Haetoenen et al., An experimental study of home gateway characteristics (2010)"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.COAP, Declares: []string{"telemetry", "settings"}, World: true},
	Impact:   check.Disturbs,
	Typical:  90 * time.Second,
	Limit:    3 * time.Hour,
	Run:      natUDP,
}

// The lives of a mapping that are tried, and how long after its end a change may still be on its way.
const (
	shortUDP, longUDP = 30 * time.Second, 120 * time.Second
	afterUDP          = time.Minute
)

// udpTrial is one change of the settings.
type udpTrial struct {
	life    time.Duration // of a mapping
	quiet   time.Duration // since the device was heard last, when the settings changed
	told    bool          // they reached it in time, and it showed that they are in force
	dropped int           // packets from the internet for which the router had no mapping
}

func natUDP(ctx context.Context, t *check.T) error {
	router := t.World.Home().Router
	heal := t.Impair(router.Age(func(n *internet.NAT) { n.UDP = 10 * time.Minute }))
	if err := observes(ctx, t); err != nil {
		return err
	}
	body := t.Device.Body("settings", 0)
	mark := t.Log.Len()
	t.CoAP.Put(t.Device.PathOf("settings"), body.Bytes, coap.JSON)
	said, ok, err := t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports(), body.Is)
	if err != nil {
		return err
	}
	if !ok {
		return check.NotRun("run protocol.coap-observe-basic first", "behind a mapping of 10 minutes it says %q in place of %d", said, body.N)
	}
	heal()
	undo := t.Impair(router.Age(func(n *internet.NAT) { n.UDP = longUDP }))
	_, quiet, err := lull(ctx, t, shortUDP+2*time.Second, shortUDP*3/2)
	if err != nil {
		return err
	}
	var trials []udpTrial
	if quiet {
		trial, err := tryUDP(ctx, t, longUDP)
		if err != nil {
			return err
		}
		trials = append(trials, trial)
	}
	undo()
	if !quiet || trials[0].told {
		t.Impair(router.Age(func(n *internet.NAT) { n.UDP = shortUDP }))
		trial, err := tryUDP(ctx, t, shortUDP)
		if err != nil {
			return err
		}
		trials = append(trials, trial)
	}
	last := trials[len(trials)-1]
	if !last.told && last.dropped == 0 {
		return check.NotRun("see the packets in the evidence: what became of the notification?", "the settings did not come into force, and it was not for want of a mapping")
	}
	t.Find(judgeUDP(trials)...)
	return nil
}

// tryUDP changes the settings when the device was quiet for longer than a mapping lives, or after one and a half times that.
func tryUDP(ctx context.Context, t *check.T, life time.Duration) (udpTrial, error) {
	at, _, err := lull(ctx, t, life+2*time.Second, life*3/2)
	if err != nil {
		return udpTrial{}, err
	}
	body := t.Device.Body("settings", 0)
	mark, now := t.Log.Len(), t.Clock.Now()
	u := udpTrial{life: life, quiet: now.Sub(at)}
	t.Step("change the settings %.0f s after the device was heard; mappings live %.0f s", u.quiet.Seconds(), life.Seconds())
	const lost = "no mapping"
	before := t.World.Home().Router.Dropped()[lost]
	t.CoAP.Put(t.Device.PathOf("settings"), body.Bytes, coap.JSON)
	_, u.told, err = t.Device.AwaitSaying(ctx, "settings", mark, at.Add(life+afterUDP).Sub(now), body.Is)
	if err == nil && !u.told && reachedBy(t.Log.Since(mark), t.Device.PathOf("settings")) { // it is to show it yet
		_, u.told, err = t.Device.AwaitSaying(ctx, "settings", mark, t.Device.Reports(), body.Is)
	}
	u.dropped = t.World.Home().Router.Dropped()[lost] - before
	if u.told {
		t.MeasureTime(fmt.Sprintf("from the change to settings in force, mappings live %.0f s", life.Seconds()), t.Clock.Now().Sub(now), "")
	}
	t.Record("mappings live %.0f s: settings in force %t, %d packets without a mapping", life.Seconds(), u.told, u.dropped)
	return u, err
}

// observes starts the device and waits until it observes its settings.
func observes(ctx context.Context, t *check.T) error {
	c, err := t.Contact(ctx)
	if err != nil {
		return err
	}
	path := t.Device.PathOf("settings")
	_, ok, err := t.Device.AwaitEvent(ctx, c.Mark, t.Device.ConnectWithin(), func(evidence.Event) bool { return t.CoAP.Observers(path) > 0 })
	if err == nil && !ok {
		return check.NotRun("say under settings: what the device observes", "the device did not register for %s within %s", path, t.Device.ConnectWithin())
	}
	return err
}

// lull waits until the device, which was heard before, was not heard for so long, at most for within beyond the time at which that
// could have been; it reports when it was heard last, and whether it was as quiet.
func lull(ctx context.Context, t *check.T, quiet, within time.Duration) (last time.Time, ok bool, err error) {
	mark := t.Log.Len()
	for _, e := range slices.Backward(t.Log.Since(0)[:mark]) {
		if _, is := origin.Got(e); is {
			last = e.At
			break
		}
	}
	for end := last.Add(max(quiet, within)); ; {
		now := t.Clock.Now()
		left := min(last.Add(quiet).Sub(now), end.Sub(now))
		if left <= 0 {
			return last, now.Sub(last) >= quiet, nil
		}
		e, heard, err := t.Device.AwaitEvent(ctx, mark, left, func(e evidence.Event) bool {
			_, is := origin.Got(e)
			return is
		})
		if err != nil {
			return last, false, err
		}
		if heard {
			last, mark = e.At, e.N+1
		}
	}
}

// reachedBy reports whether the device acknowledged a notification, or registered again.
func reachedBy(events []evidence.Event, path string) bool {
	notified := map[uint16]bool{}
	for _, e := range events {
		if m, ok := origin.Sent(e); ok && m.Type == coap.CON && m.Code.Response() {
			notified[m.ID] = true
		}
		m, ok := origin.Got(e)
		if !ok {
			continue
		}
		n, registers := m.Uint(coap.Observe)
		if m.Type == coap.ACK && notified[m.ID] || registers && n == 0 && m.Code == coap.GET && m.Path() == path {
			return true
		}
	}
	return false
}

// judgeUDP looks at how long a mapping the device needs.
func judgeUDP(trials []udpTrial) []check.Finding {
	for _, u := range trials {
		if u.told {
			continue
		}
		f := check.Finding{
			Title:    "Needs a UDP mapping of more than 2 minutes",
			Expected: fmt.Sprintf("within the %.0f s that a mapping lives and %.0f s of when it was heard last, the settings reach it", u.life.Seconds(), afterUDP.Seconds()),
			Seen: fmt.Sprintf("settings that changed %.0f s after it was heard had not reached it %.0f s after it was heard; the router had forgotten its mapping after %.0f s, and dropped %d packets for it",
				u.quiet.Seconds(), (u.life + afterUDP).Seconds(), u.life.Seconds(), u.dropped),
		}
		if u.life == shortUDP {
			f.Severity, f.Title = check.Minor, "Needs a UDP mapping of more than 30 s"
			if len(trials) > 1 {
				f.Seen += "; with mappings of 120 s they do"
			}
		}
		return []check.Finding{f}
	}
	return nil
}
