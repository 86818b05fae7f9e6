// Package image builds what the reference product ships: the firmware image of the thermostat.
package image

import (
	"io/fs"
	"maps"
	"slices"
)

// entry is a file of the root file system.
type entry struct {
	mode   fs.FileMode
	uid    int
	data   string
	target string // of a symbolic link
}

// root is the root file system of the thermostat, by path.
type root map[string]entry

func (r root) file(path, text string)   { r[path] = entry{mode: 0o644, data: text} }
func (r root) script(path, text string) { r[path] = entry{mode: 0o755, data: "#!/bin/sh\n" + text} }

// paths are those of all entries and of the folders that hold them, in order.
func (r root) paths() []string {
	all := maps.Clone(r)
	for p := range r {
		for i := range p {
			if p[i] == '/' {
				if _, ok := all[p[:i]]; !ok {
					all[p[:i]] = entry{mode: fs.ModeDir | 0o755}
				}
			}
		}
	}
	for p, e := range all {
		r[p] = e
	}
	return slices.Sorted(maps.Keys(all))
}

// clean is the root file system without defects.
func clean() root {
	r := root{}
	programs(r)
	packages(r)
	services(r)
	r.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nthermostat:x:100:100::/var/lib/thermostat:/bin/false\nservice:x:101:101::/var/lib/thermostat:/bin/sh\n")
	r["etc/shadow"] = entry{mode: 0o600, data: "root:!:20000:0:99999:7:::\nthermostat:*:20000:0:99999:7:::\nservice:$5$rounds=1000$gzF3hHGkjfVYPPOI$gyM/jqnmXpCBWdE2MDDPWFnW4bsOa7trFMSPRqO0xDA:20000:0:99999:7:::\n"}
	r.file("etc/os-release", "ID=reference\nNAME=\"Reference thermostat\"\nVERSION_ID=2.1\n")
	r.file("etc/thermostat.conf", "[update]\nserver = https://updates.reference.test/thermostat\n\n[cloud]\nbroker = broker.reference.test:8883\n")
	trust(r)
	innocent(r)
	return r
}
