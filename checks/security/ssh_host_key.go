package security

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SSHHostKey looks for the host keys of SSH servers.
var SSHHostKey = &check.Check{
	ID:    "security.ssh-host-key",
	Title: "Makes its SSH host key itself",
	Why: "A host key that comes with the image is that of all units. " +
		"Whoever has the image can stand between any of them and those who log in, and nobody sees a difference.",
	Pass:     "the image holds no private key in the form of Dropbear, and none in a file that is called as the host keys of OpenSSH and Dropbear are",
	Fix:      "Leave the key files out of the image, and let the start script make them in the unit when they are missing (ssh-keygen -A, dropbear -R).",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.4-4", "CRA:I.2e", "ISTG:FW-SCRT-003", "IOT10:I7"},
	Rows:         []string{"KEY-SSHHOST"},
	Sources:      []string{"sshd(8): /etc/ssh/ssh_host_*_key", "dropbear(8): /etc/dropbear/dropbear_*_host_key"},

	Needs:   check.Needs{Real: product.Firmware},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgeHostKeys(f.PrivateKeys)
	}),
}

// hostKey says whether a private key is that of an SSH server.
func hostKey(k artefact.PrivateKey) bool {
	return k.Form == "Dropbear" || k.Node.File != nil && keys.HostKeyFile(k.Node.Name)
}

func judgeHostKeys(all []artefact.PrivateKey) (findings []check.Finding) {
	var same groups[string]
	what := map[string]string{}
	for _, k := range all {
		if hostKey(k) {
			what[k.Secret] = k.String()
			same.add(k.Secret, place(k.Node, k.Offset))
		}
	}
	for _, secret := range same.keys {
		findings = append(findings, check.Finding{Title: "Brings an SSH host key along: " + what[secret], Seen: several(same.of[secret])})
	}
	return findings
}
