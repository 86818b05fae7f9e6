package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/shakedown-test/shakedown/product"
)

// program is a part that the maker's control program starts, stops and asks.
type program struct {
	env     Env
	control *Control
	on      atomic.Bool // started, and not known to have ended
	cut     bool        // the power was taken away
}

// openExec starts the control program; the part itself is off.
func openExec(env Env) (Driver, error) { return openProgram(env) }

func openProgram(env Env) (*program, error) {
	p := &program{env: env}
	var err error
	p.control, err = OpenControl(env, func() { p.on.Store(false) })
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Can is what the control program said it can do.
func (p *program) Can() []product.Capability { return p.control.Can() }

// Start gives the power back if it was taken away, and says start with all placeholders.
func (p *program) Start(ctx context.Context) error {
	if p.on.Load() {
		return nil
	}
	p.env.power("start")
	if err := p.powerOn(ctx); err != nil {
		return err
	}
	p.on.Store(true) // before the request: the part may end before the reply comes
	if _, err := p.control.Do(ctx, "start", p.env.Values); err != nil {
		p.on.Store(false)
		return err
	}
	return nil
}

func (p *program) powerOn(ctx context.Context) error {
	if !p.cut {
		return nil
	}
	if _, err := p.control.Do(ctx, "power", map[string]string{"state": "on"}); err != nil {
		return err
	}
	p.cut = false
	return nil
}

// Stop says stop.
func (p *program) Stop(ctx context.Context) error {
	if !p.on.Load() {
		return nil
	}
	p.env.power("stop")
	if _, err := p.control.Do(ctx, "stop", nil); err != nil {
		return err
	}
	p.on.Store(false)
	return nil
}

// Kill takes the power away. It stays away until the next Start.
func (p *program) Kill(ctx context.Context) error {
	if err := p.lacks(product.PowerCut); err != nil {
		return err
	}
	p.env.power("cut")
	p.cut = true // also when the reply is lost
	if _, err := p.control.Do(ctx, "power", map[string]string{"state": "off"}); err != nil {
		return err
	}
	p.on.Store(false)
	return nil
}

// Trigger makes the part do what the maker calls name; args go to the program as they are.
func (p *program) Trigger(ctx context.Context, name string, args map[string]string) error {
	if err := p.lacks(product.Capability("trigger." + name)); err != nil {
		return err
	}
	_, err := p.control.Do(ctx, "trigger", struct {
		Name string            `json:"name"`
		With map[string]string `json:"with,omitempty"`
	}{name, args})
	return err
}

// Query returns the JSON value that the program gives for name.
func (p *program) Query(ctx context.Context, name string) (json.RawMessage, error) {
	if err := p.lacks(product.Capability("query." + name)); err != nil {
		return nil, err
	}
	return p.control.Do(ctx, "query", map[string]string{"name": name})
}

// lacks is ErrCannot when the program did not say that it can do what.
func (p *program) lacks(what product.Capability) error {
	if p.control.Has(what) {
		return nil
	}
	return fmt.Errorf("%s of part %q: its control program says hello with %q: %w\nhint: add it to the program and to its hello", what, p.env.Part.Name, p.control.can, ErrCannot)
}

// Close ends the control program, which ends the part.
func (p *program) Close() error { return p.control.Close() }
