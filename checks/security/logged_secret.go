package security

import (
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// LoggedSecret looks for what prints passwords.
var LoggedSecret = &check.Check{
	ID:    "security.logged-secret",
	Title: "Prints no password or token in its logs",
	Why: "Logs go to the serial console, into support tickets and to the cloud. " +
		"The key of the customer's network stands in them because an example of the kit printed it.",
	Pass:     "no format string of a log line has a password, key or token in it, and no script logs a variable that is called like one",
	Fix:      "Take the value out of the log line, or print its length.",
	Severity: check.Minor,

	Requirements: []string{"EN303645:5.4-1", "CRA:I.2e", "ISTG:INT[UART]-INFO-002", "IOT10:I7"},
	Rows:         []string{"SVC-LOGLEAK"},
	Sources:      []string{"CWE-532", "ESP-IDF, examples/wifi/getting_started/station: it prints SSID and password"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgeLogs(f.Secrets)
	}),
}

func judgeLogs(all []artefact.Secret) (findings []check.Finding) {
	var same groups[string]
	for _, s := range all {
		if s.Rule.Kind == rules.Log {
			same.add(s.Value, place(s.Node, s.Offset))
		}
	}
	for _, text := range same.keys {
		shown := strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, text)
		findings = append(findings, check.Finding{Title: "Prints a password or token in its logs", Seen: shown + ", in " + several(same.of[text])})
	}
	return findings
}
