package security

import (
	"fmt"
	"regexp"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// BrokerPassword looks for what devices log in to their broker with.
var BrokerPassword = &check.Check{
	ID:    "security.broker-password",
	Title: "Holds no password for a message broker",
	Why: "A broker password in the image is that of all devices. " +
		"Whoever reads it in one can listen to all, and command them.",
	Pass:     "there is no mqtt or amqp URL with a password, and no configuration file sets a password for the broker",
	Fix:      "Give each unit a certificate or password of its own when it is made or set up, and limit it to its own topics.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.4-3", "CRA:I.2e", "ISTG:FW-SCRT-003", "IOT10:I7"},
	Rows:         []string{"CRED-MQTT"},
	Sources:      []string{"RFC 3986 section 3.2.1"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), append(judgeSecrets(f.Secrets, rules.Broker), judgeSettings(f.Assignments, ofBroker)...)
	}),
}

var aboutBroker = regexp.MustCompile(`(?i)mqtt|broker|amqp|mosquitto`)

// ofBroker says whether a setting is about a message broker: by its name, its section, or the file that it stands in.
func ofBroker(s artefact.Assignment) bool {
	return aboutBroker.MatchString(s.Key) || aboutBroker.MatchString(s.Section) || aboutBroker.MatchString(s.Node.Name)
}

// judgeSettings finds the passwords in plain text among the settings that are chosen.
func judgeSettings(all []artefact.Assignment, chosen func(artefact.Assignment) bool) (findings []check.Finding) {
	for _, s := range all {
		if !s.Secret() || !chosen(s) {
			continue
		}
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Holds a password in plain text: %s", s.Key),
			Seen:  fmt.Sprintf("%s, in line %d of %s", artefact.Shown(s.Value), s.Line, s.Node.Path()),
		})
	}
	return findings
}
