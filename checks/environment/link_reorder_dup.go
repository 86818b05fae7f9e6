package environment

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// LinkReorderDup has the device's link double packets, and let them overtake each other.
var LinkReorderDup = &check.Check{
	ID:    "environment.link-reorder-dup",
	Title: "Carries each command out once on a link that doubles and reorders packets",
	Why: "Mesh networks and roaming deliver packets twice and in another order. " +
		"A portion that is served twice, or a toggle that undoes itself, is the worst that a device can make of it.",
	Pass:         "of 10 commands on a link that delays packets by 100 ms, lets 10 % of them overtake others and doubles 5 %, each is carried out once, and the device works afterwards",
	Fix:          "give commands an id of their own and remember the last ones; never repeat an action because its report was not acknowledged",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f", "EN303645:5.9-1"},
	Rows:         []string{"net.reorder-dup"},
	Sources:      []string{"the figures are our choice"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}, World: true},
	Impact:       check.Disturbs,
	Typical:      25 * time.Second,
	Limit:        30 * time.Minute,
	Run:          linkReorderDup,
}

// repeated is a command and how often it was carried out.
type repeated struct {
	token   string
	effects int
}

func linkReorderDup(ctx context.Context, t *check.T) error {
	if err := t.CountsEffects(); err != nil {
		return err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	control := t.Device.Command()
	first := t.Log.Len()
	if err := s.Send(control); err != nil {
		return check.NotRun("", "the connection ended before a command could be sent")
	}
	if _, err := t.Device.AwaitEffect(ctx, control, first, 10*time.Second); err != nil {
		return check.NotRun("see that the declared effect is what the device shows", "%v", err)
	}
	t.Step("delay packets by 100 ms, have 10 %% of them overtake others, and double 5 %%")
	heal := t.Impair(t.Access.Latency(frame.Both, frame.Latency{Delay: 100 * time.Millisecond}))
	order := t.Impair(t.Access.Reorder(frame.Both, 0.1, 100*time.Millisecond))
	once := t.Impair(t.Access.Duplicate(frame.Both, 0.05))
	first = t.Log.Len()
	var commands []testbed.Command
	for range 10 {
		c := t.Device.Command()
		mark := t.Log.Len()
		if err := s.Send(c); err != nil {
			break // judged by how many were carried out
		}
		commands = append(commands, c)
		if _, err := t.Device.AwaitEffect(ctx, c, mark, 10*time.Second); ctx.Err() != nil {
			return err
		}
		if err := t.Clock.Sleep(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
	if err := t.Clock.Sleep(ctx, 3*time.Second); err != nil { // for what is late
		return err
	}
	once()
	order()
	heal()
	var all []repeated
	events := t.Log.Since(first)
	for _, c := range commands {
		all = append(all, repeated{c.Token, c.Count(events)})
	}
	t.Find(judgeRepeated(all, first, t.Log.Len()-1)...)
	p, err := t.Device.Probe(ctx, s, t.Log.Len(), t.Device.Patience())
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "a link that doubles and reorders packets")...)
	return nil
}

// judgeRepeated looks at commands that were sent once each. One in ten may have gone with a connection that ended.
func judgeRepeated(all []repeated, first, last int) []check.Finding {
	var found []check.Finding
	missing, again := 0, 0
	most := repeated{}
	for _, r := range all {
		switch {
		case r.effects == 0:
			missing++
		case r.effects > 1:
			again++
			if r.effects > most.effects {
				most = r
			}
		}
	}
	if again > 0 {
		found = append(found, check.Finding{
			Title:    "Carries commands out again on a link that doubles and reorders packets",
			Expected: "one effect of each command",
			Seen:     fmt.Sprintf("%d of %d commands with more than one effect; %s had %d", again, len(all), most.token, most.effects),
			Evidence: check.Range(first, last, "the commands"),
		})
	}
	if missing > 1 || len(all) < 10 && again == 0 {
		found = append(found, check.Finding{
			Severity: check.Major,
			Title:    "Loses commands on a link that doubles and reorders packets",
			Expected: "an effect of each of 10 commands",
			Seen:     fmt.Sprintf("%d commands could be sent, %d of them had no effect", len(all), missing),
			Evidence: check.Range(first, last, "the commands"),
		})
	}
	return found
}
