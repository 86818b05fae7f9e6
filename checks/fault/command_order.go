package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// CommandOrder sends commands that overtake each other if they can.
var CommandOrder = &check.Check{
	ID:    "fault.command-order",
	Title: "Carries commands out in the order in which they come",
	Why: "Users press up, up, down; scenes send ten commands in a row. " +
		"A device that lets them overtake each other ends in a state that nobody asked for, and the app shows another.",
	Pass: "ten commands with QoS 1, sent one behind the other, the fifth of them twice in a row, have their effects within 20 s in the order of sending, " +
		"and the last effect is that of the tenth",
	Fix:          "handle commands in one queue; give none to a worker of its own",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2f"},
	Incidents:    []string{"INC-107", "INC-108"},
	Rows:         []string{"mqtt.order", "fault.command.out_of_order"},
	Sources:      []string{"MQTT section 4.6 (message ordering), MQTT-4.6.0-2"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command"}},
	Impact:       check.Observes,
	Typical:      10 * time.Second,
	Limit:        5 * time.Minute,
	Run:          commandOrder,
}

const (
	orderCommands = 10
	orderRepeated = 4 // the fifth, counted from 0
)

func commandOrder(ctx context.Context, t *check.T) error {
	if err := t.CountsEffects(); err != nil {
		return err
	}
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if qos, ok := s.Grants(t.Device.Command().Topic); !ok || qos == 0 {
		return check.NotApplicable("the device takes its commands with QoS 0, for which no order is promised")
	}
	t.Step("send ten commands one behind the other, the fifth twice")
	window := orderCommands + 1
	if s.Version == mqtt.V5 {
		window = int(s.Connect.Props.Int(mqtt.ReceiveMaximum, 65535)) // not more than it says it can take at once
	}
	first := t.Log.Len()
	var commands []testbed.Command
	for i := range orderCommands {
		c := t.Device.Command()
		p := c.Packet(s.Version)
		p.QoS, p.ID = 1, s.Conn.NextID()
		commands = append(commands, c)
		mark := t.Log.Len()
		if err := s.Conn.Send(p); err != nil {
			return check.NotRun("", "the connection ended after %d commands", i)
		}
		if window <= orderCommands {
			if _, err := t.Device.AwaitAck(ctx, s, mark, 10*time.Second, mqtt.PUBACK, p.ID); err != nil {
				return check.NotRun("see protocol.qos1-acknowledged", "the receive maximum of %d does not allow more at once: %v", window, err)
			}
		}
		if i == orderRepeated {
			p.Dup = true
			_ = s.Conn.Send(p) // if it cannot be sent, neither can the next command
		}
	}
	if err := awaitAll(ctx, t, commands, first); err != nil {
		return err
	}
	var shows []func(evidence.Event) bool
	for _, c := range commands {
		shows = append(shows, c.Shows)
	}
	t.Find(judgeOrder(shows, t.Log.Since(first), first)...)
	return nil
}

// awaitAll waits up to 20 s for an effect of each command, and 3 s more for what is late.
func awaitAll(ctx context.Context, t *check.T, commands []testbed.Command, mark int) error {
	wait, cancel := t.Clock.Timeout(ctx, 20*time.Second)
	defer cancel()
	left := slices.Clone(commands)
	_, _ = t.Log.Await(wait, mark, func(e evidence.Event) bool { // what is missing is judged
		left = slices.DeleteFunc(left, func(c testbed.Command) bool { return c.Shows(e) })
		return len(left) == 0
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(left) == len(commands) {
		return check.NotRun("see that the declared effect is what the device shows", "none of %d commands had an effect within 20 s", len(commands))
	}
	return t.Clock.Sleep(ctx, 3*time.Second)
}

// judgeOrder looks at the effects in events; shows recognises that of each command, in the order of sending.
func judgeOrder(shows []func(evidence.Event) bool, events []evidence.Event, first int) []check.Finding {
	var order []int // places of the commands, by their first effects
	last := -1      // the one that had the last effect of all
	for _, e := range events {
		i := slices.IndexFunc(shows, func(show func(evidence.Event) bool) bool { return show(e) })
		if i < 0 {
			continue
		}
		last = i
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	f := check.Finding{
		Expected: "effects of the commands 1 to 10 in this order, and none after that of the tenth",
		Seen:     "effects in the order " + places(order),
		Evidence: check.Range(first, first+len(events)-1, "the commands and their effects"),
	}
	switch {
	case len(order) < len(shows):
		f.Title = "Loses commands that come one behind the other"
		f.Seen = fmt.Sprintf("effects of %d of %d commands, in the order %s", len(order), len(shows), places(order))
	case !slices.IsSorted(order):
		f.Title = "Carries commands out in another order"
	case last != len(shows)-1:
		f.Title = "Ends with another command than the last"
		f.Seen = fmt.Sprintf("the last effect was that of command %d", last+1)
	default:
		return nil
	}
	return []check.Finding{f}
}

// places are numbers as people count.
func places(order []int) string {
	text := ""
	for i, p := range order {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(p + 1)
	}
	return text
}
