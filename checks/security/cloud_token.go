package security

import (
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// CloudToken looks for the tokens of cloud services.
var CloudToken = &check.Check{
	ID:    "security.cloud-token",
	Title: "Holds no token of a cloud service",
	Why: "A token in an image is good for the maker's own account, and everybody who has the image has it. " +
		"It is found by machines within hours, and what it opens is every customer's data, or the maker's bill.",
	Pass:     "no bytes are a token of AWS, Azure, Google, Firebase, GitHub, GitLab, npm, Slack, Stripe, Twilio or one of the others in the rules, as far as checksum or structure prove it",
	Fix:      "Revoke the token now. Give each unit credentials of its own that open nothing but its own data, and keep those of the build out of the image.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.4-3", "CRA:I.2e", "ISTG:FW-SCRT-003", "IOT10:I7", "NIST8425:DP"},
	Rows:         []string{"CRED-CLOUD"},
	Sources:      []string{"the formats that the providers document; of GitHub and npm the CRC-32 in the token is computed"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgeSecrets(f.Secrets, rules.Cloud)
	}),
}

// judgeSecrets finds the secrets of a kind, each once.
func judgeSecrets(all []artefact.Secret, kind rules.Kind) (findings []check.Finding) {
	var same groups[string]
	first := map[string]artefact.Secret{}
	for _, s := range all {
		if s.Rule.Kind == kind {
			if _, ok := first[s.Value]; !ok {
				first[s.Value] = s
			}
			same.add(s.Value, place(s.Node, s.Offset))
		}
	}
	for _, value := range same.keys {
		s := first[value]
		findings = append(findings, check.Finding{
			Title: "Gives away " + article(s.Rule.What),
			Seen:  s.Shown() + ", in " + several(same.of[value]),
		})
	}
	return findings
}

// article puts "a" or "an" before a name.
func article(name string) string {
	if strings.ContainsRune("AEIOU", rune(name[0])) && !strings.HasPrefix(name, "URL") {
		return "an " + name
	}
	return "a " + name
}
