package security

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// WeakKey judges the keys themselves.
var WeakKey = &check.Check{
	ID:    "security.weak-key",
	Title: "Uses keys that cannot be computed",
	Why: "A key that is too short, or that was made with too little chance, can be computed from its public half. " +
		"Then signatures on updates can be forged, for the rest of the product's life.",
	Pass:     "no RSA key has less than 2048 bits or the exponent 3, none is of CVE-2017-15361, no two share a prime, no key is on a curve of less than 224 bits, and none is DSA",
	Fix:      "Make the key anew, with RSA of 3072 bits, P-256 or Ed25519, on a machine that has been running for long enough to have entropy.",
	Severity: check.Major,

	Requirements: []string{"EN303645:5.5-1", "CRA:I.2e", "ISTG:FW-CRYPT-001", "IOT10:I7"},
	Rows:         []string{"KEY-WEAK"},
	Sources:      []string{"NIST SP 800-131A", "CVE-2017-15361", "Heninger and others: Mining Your Ps and Qs, USENIX Security 2012"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: weakKey,
}

// weakKey looks at the keys of all artefacts together: primes are shared between units.
func weakKey(_ context.Context, t *check.T) error {
	var all []sighted
	for _, f := range t.Artefacts {
		all = append(all, sightedKeys(f)...)
	}
	t.Record("%d keys were looked at", len(all))
	t.Find(judgeWeakKeys(all)...)
	return t.LookedAt(len(all), "keys")
}

// sighted is a key with its place.
type sighted struct {
	key   *keys.Key
	place string
	cert  bool // that of a certificate, of which another check judges size and exponent
}

func sightedKeys(f *artefact.Facts) (all []sighted) {
	for _, k := range f.PrivateKeys {
		if k.Key != nil {
			all = append(all, sighted{k.Key, "the private key in " + place(k.Node, k.Offset), false})
		}
	}
	for _, k := range f.PublicKeys {
		all = append(all, sighted{k.Key, "the public key in " + place(k.Node, k.Offset), false})
	}
	for _, c := range f.Certificates {
		if k := keys.OfCertificate(c.Cert); k != nil {
			all = append(all, sighted{k, "the key of a certificate in " + place(c.Node, c.Offset), true})
		}
	}
	return all
}

func judgeWeakKeys(all []sighted) (findings []check.Finding) {
	var same groups[string]
	severity := map[string]check.Severity{}
	var moduli []*big.Int
	for _, s := range all {
		if s.key.N != nil {
			moduli = append(moduli, s.key.N)
		}
		why := s.key.Weak()
		if why == "" || s.cert && !s.key.Fingerprinted() {
			continue
		}
		key := s.key.String() + "\x00" + why + "\x00" + s.key.Fingerprint()
		same.add(key, s.place)
		if s.key.Kind == "RSA" && s.key.Bits >= 2048 && !s.key.Fingerprinted() || s.key.Kind == "DSA" {
			severity[key] = check.Minor
		}
	}
	for _, key := range same.keys {
		kind, why, _ := strings.Cut(key, "\x00")
		why, _, _ = strings.Cut(why, "\x00")
		findings = append(findings, check.Finding{Severity: severity[key], Title: "Uses a weak key: " + kind, Seen: why + "; " + several(same.of[key])})
	}
	for _, n := range keys.Shared(moduli) {
		var places []string
		for _, s := range all {
			if s.key.N != nil && s.key.N.Cmp(n) == 0 {
				places = append(places, s.place)
			}
		}
		findings = append(findings, check.Finding{
			Severity: check.Blocker, Title: "Uses an RSA key that shares a prime with another one",
			Seen: fmt.Sprintf("RSA of %d bits, which can be computed from the other: %s", n.BitLen(), several(places)),
		})
	}
	return findings
}
