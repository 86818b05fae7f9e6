package image

import (
	"strings"

	"github.com/shakedown-test/shakedown/reference/certificates"
)

// trust is what the thermostat trusts and says who it is with.
func trust(r root) {
	r.file(storeFile, certificates.Store())
	r.file(clientFile, certificates.Client())
	r.file(pinFile, pinned(certificates.Pins()))
	r.file("usr/share/doc/thermostat/manual.pem", certificates.Example())
}

const (
	storeFile  = "etc/ssl/roots.pem"
	clientFile = "etc/thermostat/client.pem"
	pinFile    = "etc/thermostat/update-keys.conf"
)

func pinned(list []string) string {
	return "# keys of who may sign for the server of updates\npins = " + strings.Join(list, " ") + "\n"
}

// trustFlaws are those of certificates and pins.
var trustFlaws = []flaw{
	{"firmware-ended-certificate", func(r root) { r.file(clientFile, certificates.EndedClient()) }},
	{"firmware-short-certificate", func(r root) { r.file(clientFile, certificates.ShortClient()) }},
	{"firmware-weak-certificate", func(r root) { r.file(clientFile, certificates.WeakClient()) }},
	{"firmware-authority-as-client", func(r root) { r.file(clientFile, certificates.ClientAuthority()) }},
	{"firmware-without-root", func(r root) { r.file(storeFile, certificates.StoreWithoutRoot()) }},
	{"firmware-short-root", func(r root) { r.file(storeFile, certificates.ShortStore()) }},
	{"firmware-single-pin", func(r root) { r.file(pinFile, pinned(certificates.Pins()[:1])) }},
	{"firmware-pins-intermediate", func(r root) { r.file(pinFile, pinned(certificates.IntermediatePins())) }},
}
