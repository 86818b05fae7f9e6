package reference

import "slices"

// Defect is a fault that can be planted in the reference product on purpose.
type Defect struct {
	ID      string
	What    string   // what a device or cloud with it does, in one line
	FoundBy []string // ids of the checks that must find it
}

// Defects are all that can be planted, sorted by subject.
func Defects() []Defect {
	return slices.Concat(
		tlsDefects,
		connectDefects,
		sessionDefects,
		messageDefects,
		malformedDefects,
		cloudDefects,
		fleetDefects,
		httpDefects,
		homeDefects,
		coapDefects,
		networkDefects,
		routerDefects,
		strainDefects,
		firmwareDefects,
		trustDefects,
		sensorFirmwareDefects,
		secretDefects,
		programDefects,
		componentDefects,
		serviceDefects,
		phoneDefects,
	)
}

func known(id string) bool {
	return slices.ContainsFunc(Defects(), func(d Defect) bool { return d.ID == id })
}
