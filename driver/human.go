package driver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
)

// human is a part that a person at the bench switches on and off.
type human struct {
	env  Env
	told bool // the person knows how to set it up
	on   bool
}

// openHuman fails when there is nobody to ask.
func openHuman(env Env) (Driver, error) {
	if env.Ask == nil {
		return nil, fmt.Errorf("open part %q: driver human needs a person, and there is no terminal to ask at\nhint: run Shakedown in a terminal, or let a control program do it (driver: exec)", env.Part.Name)
	}
	return &human{env: env}, nil
}

// Start has the person set the part up, the first time, and power it on.
func (h *human) Start(ctx context.Context) error {
	if h.on {
		return nil
	}
	if !h.told {
		for _, line := range pointing(h.env) {
			h.env.Tell(line)
		}
		h.told = true
	}
	if err := h.ask(ctx, "Power on "+h.env.Part.Name+".", "start"); err != nil {
		return err
	}
	h.on = true
	return nil
}

// Stop has the person switch the part off in the way that its manual says.
func (h *human) Stop(ctx context.Context) error {
	if !h.on {
		return nil
	}
	if err := h.ask(ctx, "Switch off "+h.env.Part.Name+" as its manual says.", "stop"); err != nil {
		return err
	}
	h.on = false
	return nil
}

// Kill has the person pull the plug.
func (h *human) Kill(ctx context.Context) error {
	if !h.on {
		return nil
	}
	if err := h.ask(ctx, "Pull the plug of "+h.env.Part.Name+" (or take out its battery) now.", "cut"); err != nil {
		return err
	}
	h.on = false
	return nil
}

// Close leaves the part as it is: at the end of a run nobody need be there to ask.
func (h *human) Close() error { return nil }

// ask puts one request to the person and notes it and the answer. The power event is stamped when the answer comes, so it is later
// than the deed by as long as the person takes to type.
func (h *human) ask(ctx context.Context, what, done string) error {
	name := h.env.Part.Name
	h.env.Log.Add(evidence.Event{Part: name, Kind: evidence.Step, Text: "asked the person: " + what})
	answer, err := h.env.Ask(ctx, what+" Press Enter when it is done, or type what is in the way.")
	if err != nil {
		return fmt.Errorf("%s part %q: ask the person: %w\nhint: someone must be at the terminal while this part is tested", done, name, err)
	}
	answer = strings.TrimSpace(answer)
	h.env.Log.Add(evidence.Event{Part: name, Kind: evidence.Seen, Text: fmt.Sprintf("the person answered %q", firstLine(answer))})
	if !slices.Contains([]string{"", "y", "yes", "ok", "done"}, strings.ToLower(answer)) {
		return fmt.Errorf("%s part %q: the person answered %q\nhint: remove what is in the way and run again", done, name, firstLine(answer))
	}
	h.env.power(done)
	return nil
}
