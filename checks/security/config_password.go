package security

import (
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// ConfigPassword looks for passwords in configuration files.
var ConfigPassword = &check.Check{
	ID:    "security.config-password",
	Title: "Holds no password in its configuration",
	Why: "The password of the web interface, of the FTP server, of SNMP or of the VPN that comes with the image is the same in all units, and stands in the image for all to read. " +
		"Lists of such passwords are what botnets grow by.",
	Pass:     "no configuration file sets a password in plain text, no URL has one, and SNMP lets nobody in by a community that may write or that is called public",
	Fix:      "Let the user set the password when the unit is set up, or give each unit one of its own; keep only a slow hash of it.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.1-1", "CRA:I.2b", "PSTI:1", "ISTG:FW-SCRT-002", "IOT10:I1"},
	Rows:         []string{"CRED-HTPASSWD"},
	Sources:      []string{"snmpd.conf(5): rocommunity, rwcommunity", "CWE-256", "CWE-798"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		found := judgeSettings(f.Assignments, func(s artefact.Assignment) bool { return !ofBroker(s) && !ofWiFi(s) })
		found = append(found, judgeSecrets(f.Secrets, rules.Login)...)
		return contents(f), append(found, judgeSNMP(f.Assignments)...)
	}),
}

// judgeSNMP finds communities, which are the passwords of SNMP 1 and 2c.
func judgeSNMP(all []artefact.Assignment) (findings []check.Finding) {
	for _, s := range all {
		if !strings.Contains(strings.ToLower(s.Node.Name), "snmp") {
			continue
		}
		community, _, _ := strings.Cut(s.Value, " ")
		f := check.Finding{Title: "Lets SNMP clients in by a community that is built in"}
		switch strings.ToLower(s.Key) {
		case "rwcommunity", "rwcommunity6":
			f.Seen = fmt.Sprintf("rwcommunity %s, in %s", artefact.Shown(community), lineOf(s))
		case "rocommunity", "rocommunity6":
			if community != "public" && community != "private" {
				continue
			}
			f.Severity = check.Minor
			f.Seen = fmt.Sprintf("rocommunity %s, in %s", community, lineOf(s))
		default:
			continue
		}
		findings = append(findings, f)
	}
	return findings
}
