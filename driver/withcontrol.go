package driver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/shakedown-test/shakedown/product"
)

// controlled is a part with a driver of its own kind and a control program beside it. What the program says it can do is its
// business; everything else stays with the driver.
type controlled struct {
	*program
	part Driver
}

// WithControl adds to d what the control program of env.Part can do: power.cut and restart replace d's own, triggers and queries
// come on top. It takes over d, and closes it when it fails.
func WithControl(d Driver, env Env) (Driver, error) {
	p, err := openProgram(env)
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &controlled{program: p, part: d}, nil
}

// Start gives the power back if the program took it away, has the program start the part if it can restart it, and starts the
// driver, for which starting what runs is no error.
func (c *controlled) Start(ctx context.Context) error {
	if err := c.powerOn(ctx); err != nil {
		return err
	}
	if c.control.Has(product.Restart) {
		if err := c.program.Start(ctx); err != nil {
			return err
		}
	}
	return c.part.Start(ctx)
}

// Stop has the program stop the part if it can restart it, and stops the driver.
func (c *controlled) Stop(ctx context.Context) error {
	if c.control.Has(product.Restart) {
		if err := c.program.Stop(ctx); err != nil {
			return err
		}
	}
	return c.part.Stop(ctx)
}

// Kill has the program take the power away, or the driver where the program cannot.
func (c *controlled) Kill(ctx context.Context) error {
	if k, ok := c.part.(Killer); ok && !c.control.Has(product.PowerCut) {
		return k.Kill(ctx)
	}
	return c.program.Kill(ctx)
}

// Readdress is the driver's own.
func (c *controlled) Readdress(to netip.Prefix) error {
	if r, ok := c.part.(Readdresser); ok {
		return r.Readdress(to)
	}
	return fmt.Errorf("give part %q another address: %w", c.env.Part.Name, ErrCannot)
}

// Close ends the driver and the program.
func (c *controlled) Close() error { return errors.Join(c.part.Close(), c.program.Close()) }
