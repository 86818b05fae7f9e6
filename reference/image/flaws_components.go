package image

import "io/fs"

// componentFlaws are those of what the firmware is made of.
var componentFlaws = []flaw{
	{"firmware-exploited-component", func(r root) { r.install("libopenssl", "1.0.1e-2", "OpenSSL") }},
	{"firmware-ended-component", func(r root) { r.install("nginx", "1.18.0-3", "BSD-2-Clause") }},
	{"firmware-vulnerable-component", func(r root) { r.module("reference-ui", "1.1.0") }},
	{"firmware-undeclared-component", func(r root) { r.install("tinyproxy", "1.11.2-1", "GPL-2.0") }},
	{"firmware-no-licence-text", func(r root) { delete(r, licences) }},
	{"firmware-new-setuid", func(r root) {
		r["usr/bin/thermostat-helper"] = entry{mode: fs.ModeSetuid | 0o755, data: r[daemon].data}
	}},
}

// hiddenComponents takes away all that tells what the firmware is made of.
func hiddenComponents(r root) {
	delete(r, database)
	for _, name := range []string{"reference-ui", "reference-chart"} {
		delete(r, pages+name+"/package.json")
	}
}
