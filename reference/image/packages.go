package image

import "fmt"

// The places of what tells of the packages of the thermostat.
const (
	database = "usr/lib/opkg/status"
	licences = "usr/share/licenses/busybox/COPYING"
	pages    = "usr/share/thermostat/node_modules/"
)

// packages puts the database of packages into a root file system, and the packages of the thermostat's web page.
func packages(r root) {
	r.file(database, "")
	r.install("busybox", "1.36.1-3", "GPL-2.0")
	r.install("libmosquitto", "2.0.22-1", "EPL-2.0")
	r.install("zlib", "1.3.1-1", "Zlib")
	r.file(licences, "This program is free software: its source is at https://source.reference.test/\n")
	r.module("reference-ui", "1.2.0")
	r.module("reference-chart", "2.0.0")
}

// install notes a package in the database.
func (r root) install(name, version, licence string) {
	e := r[database]
	e.data += fmt.Sprintf("Package: %s\nVersion: %s\nStatus: install user installed\nArchitecture: arm_cortex-a7\nLicense: %s\n\n", name, version, licence)
	r[database] = e
}

// module is a package of the web page.
func (r root) module(name, version string) {
	r.file(pages+name+"/package.json", fmt.Sprintf(`{"name": %q, "version": %q, "license": "MIT"}`+"\n", name, version))
}
