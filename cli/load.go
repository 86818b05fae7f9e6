package cli

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/link/profile"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/reference"
)

// load reads the product file, or gives the reference product when file is empty.
func (a *app) load(file string) (*product.Product, []byte, error) {
	src, name := reference.File(), "the reference product"
	if file != "" {
		var err error
		if src, err = os.ReadFile(file); err != nil {
			return nil, nil, usage(fmt.Errorf("read the product file: %w\nhint: shakedown init writes one", err))
		}
		name = file
	}
	p, err := a.parse(name, src)
	return p, src, err
}

// parse loads a product file that was read from name.
func (a *app) parse(name string, src []byte) (*product.Product, error) {
	p, err := product.Load(name, src, a.known())
	if err != nil {
		return nil, usage(err)
	}
	return p, nil
}

// known is what product files may name.
func (a *app) known() product.Known {
	k := product.Known{
		Checks: a.checkIDs(), Risks: a.riskIDs(), Profiles: profile.Names(),
		Payload: readPayload,
		Open:    func(name string) (io.ReadCloser, error) { return os.Open(name) },
	}
	for name := range a.kinds {
		k.Drivers = append(k.Drivers, name)
	}
	slices.Sort(k.Drivers)
	for _, r := range checks.Requirements() {
		k.Requirements = append(k.Requirements, r.ID)
	}
	return k
}

func readPayload(text, encoding string, size int, given ...string) error {
	_, err := payload.Compile(text, encoding, size, given...)
	return err
}

func (a *app) riskIDs() []string {
	var ids []string
	for _, r := range a.risks {
		ids = append(ids, r.ID)
	}
	return ids
}

func (a *app) checkIDs() []string {
	var ids []string
	for _, r := range a.risks {
		for _, c := range r.Checks {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
