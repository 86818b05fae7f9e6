package image

import "slices"

// flaw is a defect of the firmware image.
type flaw struct {
	defect string // its id
	plant  func(root)
}

// flaws are all of them; files beside this one hold them by subject.
var flaws = slices.Concat(accountFlaws, programFlaws, serviceFlaws, secretFlaws, sharedFlaws, componentFlaws, trustFlaws)

// accountFlaws are those of account files.
var accountFlaws = []flaw{
	{"firmware-empty-password", func(r root) {
		r["etc/shadow"] = entry{mode: 0o600, data: "root::20000:0:99999:7:::\nthermostat:*:20000:0:99999:7:::\n"}
	}},
}
