package driver

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
)

// Builtin returns the kinds of driver that need nothing but this machine and its user. A new map each time: callers add theirs.
func Builtin() Kinds {
	kinds := Kinds{}
	for _, k := range []Kind{
		{Name: "process", Open: openProcess, Can: []product.Capability{product.PowerCut, product.Restart, product.ConsoleRead, product.Rejoin}},
		{Name: "exec", Open: openExec}, // what its program says, and the product file repeats in can
		{Name: "external", Open: openExternal, Instances: 1},
		{Name: "endpoint", Open: openEndpoint, Artefact: readEndpoint},
		{Name: "file", Open: openFile, Artefact: readFile},
		{Name: "human", Open: openHuman, Can: []product.Capability{product.PowerCut, product.Restart, product.Rejoin}, Instances: 1},
	} {
		kinds[k.Name] = k
	}
	return kinds
}

// Open makes the driver that env.Part names, with its control program beside it if it has one. The part is off.
func Open(kinds Kinds, env Env) (Driver, error) {
	kind, ok := kinds[env.Part.Driver]
	if !ok {
		return nil, fmt.Errorf("open part %q: there is no driver %q\nhint: use one of %s", env.Part.Name, env.Part.Driver,
			strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	d, err := kind.Open(env)
	if err != nil || kind.Name == "exec" || len(env.Part.Control) == 0 {
		return d, err
	}
	return WithControl(d, env)
}

// OpenArtefact opens what env.Part names: a file, or what an endpoint sends.
func OpenArtefact(kinds Kinds, env Env) (Artefact, error) {
	kind, ok := kinds[env.Part.Driver]
	if !ok || kind.Artefact == nil {
		return Artefact{}, fmt.Errorf("open part %q: driver %q reads no files\nhint: use driver: file, or driver: endpoint", env.Part.Name, env.Part.Driver)
	}
	return kind.Artefact(env)
}

// power notes in the log what was done to the part.
func (env Env) power(what string) {
	env.Log.Add(evidence.Event{Part: env.Part.Name, Kind: evidence.Power, Text: what})
}
