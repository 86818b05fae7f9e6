package driver

import (
	"context"

	"github.com/shakedown-test/shakedown/product"
)

// external is a part that runs and connects by itself. Nothing can be done to it; a person sets it up.
type external struct {
	env  Env
	told bool
}

// openExternal makes the driver of a part that is already there.
func openExternal(env Env) (Driver, error) { return &external{env: env}, nil }

// Start tells the person, the first time, what a device must be pointed at. A cloud is there already.
func (e *external) Start(context.Context) error {
	if e.told || e.env.Part.Role == product.Cloud {
		return nil
	}
	e.told = true
	for _, line := range pointing(e.env) {
		e.env.Tell(line)
	}
	return nil
}

// Stop does nothing.
func (e *external) Stop(context.Context) error { return nil }

// Close does nothing.
func (e *external) Close() error { return nil }

// pointing says, one setting to a line, what a device must be set to so that it finds the world.
func pointing(env Env) []string {
	lines := []string{"Set up " + env.Part.Name + " so that it connects to:"}
	for _, s := range []struct{ label, key string }{
		{"host", "broker.host"},
		{"port", "broker.port"},
		{"host name", "broker.name"},
		{"device id", "device.id"},
		{"CA certificate", "ca.file"},
		{"client certificate", "client.cert"},
		{"client key", "client.key"},
	} {
		if value := env.Values[s.key]; value != "" {
			lines = append(lines, "  "+s.label+": "+value)
		}
	}
	return lines
}
