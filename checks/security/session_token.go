package security

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/rules"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SessionToken looks for JSON Web Tokens.
var SessionToken = &check.Check{
	ID:    "security.session-token",
	Title: "Holds no session token",
	Why: "A token that was left in the image is somebody's session, and mostly one that does not end. " +
		"Whoever has the image is logged in as them.",
	Pass:     "no bytes are a JSON Web Token: three parts, of which the first two decode to JSON and the third is a signature of 160 bits or more",
	Fix:      "Let each unit get its token when it is set up, and end the session that was shipped.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.4-3", "CRA:I.2e", "ISTG:FW-SCRT-003", "IOT10:I7"},
	Rows:         []string{"CRED-JWT"},
	Sources:      []string{"RFC 7519 section 3; RFC 7515 section 3.1"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgeSecrets(f.Secrets, rules.JWT)
	}),
}
