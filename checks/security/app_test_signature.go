package security

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact/apps"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AppTestSignature looks for apps that are signed with keys that everybody has.
var AppTestSignature = &check.Check{
	ID:       "security.app-test-signature",
	Title:    "Signs its app with a key of its own",
	Why:      "Anybody can sign an update of an app whose key is public, and phones install it over the real one. Stores refuse such packages, and moving to another key later means a new app for all users.",
	Pass:     "no signer of an Android app is the debug certificate of the tools or one of the published test keys of Android",
	Fix:      "Sign with the release key, which lives where builds of developers do not reach.",
	Severity: check.Blocker,

	Requirements: []string{"CRA:I.2f", "EN303645:5.3-10"},
	Sources:      []string{"developer.android.com: sign your app, sign your debug build", "android.googlesource.com: platform/build, target/product/security"},

	Needs:   check.Needs{Real: product.Package},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: judge.OfApps("signed Android apps", func(a *apps.App, _ *check.T) (bool, []check.Finding) {
		if a.Android == nil || len(a.Android.Signatures.Signers) == 0 {
			return false, nil
		}
		return true, judgeTestSignature(a.Name(), a.Android.Signatures.Signers)
	}),
}

// publicKeys are SHA-256 digests of the certificates whose private keys Android publishes for tests, in hex, and what they are called.
var publicKeys = map[string]string{
	"a40da80a59d170caa950cf15c18c454d47a39b26989d8b640ecd745ba71bf5dc": "testkey",
	"c8a2e9bccf597c2fb6dc66bee293fc13f2fc47ec77bc6b2b0d52c11f51192ab8": "platform",
}

func judgeTestSignature(name string, signers []*x509.Certificate) (findings []check.Finding) {
	for _, c := range signers {
		sum := sha256.Sum256(c.Raw)
		digest := hex.EncodeToString(sum[:])
		key, public := publicKeys[digest]
		if !public && !(c.Subject.CommonName == "Android Debug" && slices.Contains(c.Subject.Organization, "Android")) {
			continue
		}
		if !public {
			key = "debug"
		}
		findings = append(findings, check.Finding{
			Title: fmt.Sprintf("Signs %s with the %s key of Android's tools", name, key),
			Seen:  fmt.Sprintf("the signer is %s, SHA-256 of the certificate %s", c.Subject, digest),
		})
	}
	return findings
}
