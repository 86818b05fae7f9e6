package product

import _ "embed"

// FleetTemplate is a fleet file to start with.
//
//go:embed fleet_template.yaml
var FleetTemplate []byte

// LoadFleet reads a fleet file as strictly as Load reads a product file, and completes it.
func LoadFleet(name string, src []byte, known Known) (*Fleet, error) {
	l := &loader{known: known, form: fleetForm}
	var f Fleet
	if err := l.load(name, src, &f, func() { l.fleetRules(&f, "") }); err != nil {
		return nil, err
	}
	f.Complete()
	return &f, nil
}

var fleetForm = form{"fleet file", "fleet", "devices: and classes:", "shakedown init --fleet writes one to start with"}
