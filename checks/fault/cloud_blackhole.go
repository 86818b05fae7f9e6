package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// CloudBlackhole loses every packet between the home router and the internet, without a word.
var CloudBlackhole = &check.Check{
	ID:    "fault.cloud-blackhole",
	Title: "Works on in its home while every packet to its cloud is lost",
	Why: "When a cloud is down for a day, people still stand in front of the device. " +
		"One that restarts until the cloud is back, or answers nobody at home meanwhile, is a brick for that day, and some never come back from it.",
	Pass: "in 2 min of device time in which the router's line swallows all packets, which stand for a day, its process does not end; what its product file declares for its home " +
		"(local.service, by multicast DNS; TCP ports of local.open) answers another station of the home after 1 min, after 2 min and after the end; " +
		"and it answers within twice its reconnect cap and 10 s of the end, plus twice its keep-alive when it still holds the old connection",
	Fix:          "let nothing but the connection to the cloud wait for the cloud; have the watchdog watch the program, not the network",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1", "EN303645:5.9-2"},
	Incidents:    []string{"INC-033", "INC-036", "INC-038", "INC-047", "INC-048", "INC-049"},
	Rows:         []string{"fault.cloud.blackhole"},
	Sources:      []string{"2 min in the place of a day: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Disturbs,
	Typical:      3 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          cloudBlackhole,
}

// blackholeParts are asked after each: the first shows a device that is offline for a while, or holds its dead connection.
var blackholeParts = []time.Duration{time.Minute, time.Minute}

// swallowed is a device whose cloud was out of reach.
type swallowed struct {
	silent      []string // what did not answer at home, and when
	exit        string   // with which status its process ended first; empty: it did not
	exits       int
	probe       testbed.Probe
	limit       time.Duration
	first, last int
}

func cloudBlackhole(ctx context.Context, t *check.T) error {
	n, err := newNear(t)
	if err != nil {
		return err
	}
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	silent, err := n.silent(ctx, t) // the control
	if err != nil {
		return err
	}
	if len(silent) > 0 {
		return check.NotRun("see environment.mdns-announce and environment.open-ports", "%s did not answer in an ordinary home network", strings.Join(silent, " and "))
	}
	if !n.asks() {
		t.Record("the product file declares nothing that the device does in its home network: that it goes on there is not looked at")
	}
	b := swallowed{limit: 2*t.Device.Cap() + 10*time.Second, first: t.Log.Len()}
	t.Step("swallow all packets between the home router and the internet for two minutes")
	heal := t.Impair(t.World.Home().Uplink.Blackhole(frame.Both))
	var dark time.Duration
	for _, part := range blackholeParts {
		if err := t.Clock.Sleep(ctx, part); err != nil {
			return err
		}
		dark += part
		if err := b.ask(ctx, t, n, fmt.Sprintf("after %.0f s without cloud", dark.Seconds())); err != nil {
			return err
		}
	}
	t.Step("let packets through again, and ask it for something")
	healed := t.Log.Len()
	heal()
	if b.probe, err = b.comeBack(ctx, t, healed); err != nil {
		return err
	}
	if err := b.ask(ctx, t, n, "after the cloud's return"); err != nil {
		return err
	}
	t.MeasureTime("return of the cloud to an answer", b.probe.Took, fmt.Sprintf("<= %.0f s", b.limit.Seconds()))
	b.last = t.Log.Len() - 1
	for _, e := range t.Log.Since(b.first) {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			b.exits++
			if b.exit == "" {
				b.exit = e.Text
			}
		}
	}
	t.Find(judgeSwallowed(b)...)
	return nil
}

// ask notes what of the device's home does not answer.
func (b *swallowed) ask(ctx context.Context, t *check.T, n *near, when string) error {
	silent, err := n.silent(ctx, t)
	for _, what := range silent {
		b.silent = append(b.silent, what+" "+when)
	}
	return err
}

// comeBack waits for the device after event number healed, and probes it. Took counts from there.
func (b *swallowed) comeBack(ctx context.Context, t *check.T, healed int) (testbed.Probe, error) {
	start, s := t.Clock.Now(), t.Device.Live()
	if s != nil {
		b.limit += 2 * s.KeepAlive()
	} else {
		next, err := t.Device.NextSession(ctx, healed, b.limit+t.Clock.Device(250*time.Millisecond))
		if err == nil {
			err = t.Device.Settle(ctx, next)
		}
		if errors.Is(err, testbed.ErrOffline) {
			return testbed.Probe{Health: testbed.StaysAway, ClosedBy: "as the log shows", Took: b.limit}, ctx.Err()
		}
		if err != nil {
			return testbed.Probe{}, err
		}
		s = next
	}
	p, err := t.Device.Probe(ctx, s, healed, b.limit)
	p.Took = t.Clock.Since(start)
	return p, err
}

func judgeSwallowed(b swallowed) []check.Finding {
	var found []check.Finding
	if b.exits > 0 {
		found = append(found, check.Finding{
			Title:    check.Ended(b.exit) + " while its cloud is out of reach",
			Expected: "it goes on running, and waits",
			Seen:     fmt.Sprintf("its process ended %d times by itself, first with: %s", b.exits, b.exit),
		})
	} else {
		found = check.Alive(b.probe, "two minutes in which every packet to its cloud was lost")
	}
	if len(b.silent) > 0 {
		found = append(found, check.Finding{
			Title:    "Does not answer in its home while its cloud is out of reach",
			Expected: "what it does in its home network goes on without the cloud",
			Seen:     "no answer: " + strings.Join(b.silent, "; "),
		})
	}
	for i := range found {
		found[i].Evidence = check.Range(b.first, b.last, "from the first lost packet on")
	}
	return found
}
