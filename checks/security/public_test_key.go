package security

import (
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// PublicTestKey looks for sample keys, of which everybody has the private half.
var PublicTestKey = &check.Check{
	ID:    "security.public-test-key",
	Title: "Trusts no sample key of a kit",
	Why: "Boot loaders, kits and operating systems come with a key to try them out, and its private half is on the internet. " +
		"A product that was shipped with it takes updates from anybody.",
	Pass:     "no key or certificate is one of those that MCUboot, ESP-IDF, Android or Debian publish together with the private half",
	Fix:      "Make a key of your own, keep its private half off the build machine, and put the public half into boot loader and image.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.3-7", "EN303645:5.4-4", "CRA:I.2f", "ISTG:FW[UPDT]-CRYPT-001", "IOT10:I4", "NIST8425:SU"},
	Rows:         []string{"KEY-PUBLIC-TEST"},
	Sources:      []string{"artefact/keys/testkeys.csv names where each key is published", "CVE-2024-8105 (PKfail)"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: check.OfArtefacts("files and parts", func(f *artefact.Facts, _ *check.T) (int, []check.Finding) {
		return contents(f), judgeTestKeys(f)
	}),
}

func judgeTestKeys(f *artefact.Facts) (findings []check.Finding) {
	var same groups[string]
	for _, k := range f.PrivateKeys {
		if what := k.Key.Known(); what != "" {
			same.add(what, "the private key in "+place(k.Node, k.Offset))
		}
	}
	for _, k := range f.PublicKeys {
		if what := k.Key.Known(); what != "" {
			same.add(what, "the public key in "+place(k.Node, k.Offset))
		}
	}
	for _, c := range f.Certificates {
		if what := keys.KnownCertificate(c.Cert); what != "" {
			same.add(what, "the certificate in "+place(c.Node, c.Offset))
		}
	}
	for _, what := range same.keys {
		findings = append(findings, check.Finding{Title: "Holds " + what, Seen: several(same.of[what])})
	}
	return findings
}
