package security

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
)

// SharedKey compares the private keys of several artefacts.
var SharedKey = &check.Check{
	ID:    "security.shared-key",
	Title: "Shares no private key between units, models or versions",
	Why: "A key that several units have is as safe as the least of them. " +
		"Once it is read out of one it has to be replaced in all, in the field.",
	Pass:     "no private key is in two of the artefacts",
	Fix:      "Make the key in each unit, or for each unit when it is made.",
	Severity: check.Blocker,

	Requirements: []string{"EN303645:5.4-4", "CRA:I.2e", "ISTG:FW-SCRT-003", "IOT10:I7"},
	Rows:         []string{"KEY-SHARED"},
	Sources:      []string{"SEC Consult: House of Keys (580,000 devices with shared keys, 2015)"},

	Needs:   check.Needs{Real: product.Artefact},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: compared(func(all []*artefact.Facts) []check.Finding {
		var found []shared
		for i, f := range all {
			for _, k := range f.PrivateKeys {
				found = append(found, shared{i, k.Secret, k.String(), place(k.Node, k.Offset)})
			}
		}
		return judgeShared("Shares a private key between artefacts: ", found)
	}),
}

// compared is the Run of a check that compares artefacts. Of one alone there is nothing to say.
func compared(judge func([]*artefact.Facts) []check.Finding) func(context.Context, *check.T) error {
	return func(_ context.Context, t *check.T) error {
		var all []*artefact.Facts
		looked := 0
		for _, f := range t.Artefacts {
			if n := contents(f); n > 0 {
				all = append(all, f)
				looked += n
			}
		}
		if len(all) == 1 {
			return check.NotApplicable("there is one artefact, and nothing to compare it with")
		}
		t.Record("%d artefacts with %d files and parts were compared", len(all), looked)
		t.Find(judge(all)...)
		return t.LookedAt(looked, "files and parts")
	}
}

// shared is something in an artefact that no other should have.
type shared struct {
	artefact int
	key      string // the same in all that are the same
	what     string
	place    string
}

// judgeShared finds what is in more than one artefact.
func judgeShared(title string, all []shared) (findings []check.Finding) {
	var same groups[shared]
	for _, s := range all {
		same.add(s.key, s)
	}
	for _, key := range same.keys {
		in := map[int]bool{}
		var places []string
		for _, s := range same.of[key] {
			if !in[s.artefact] {
				in[s.artefact] = true
				places = append(places, s.place)
			}
		}
		if len(in) > 1 {
			findings = append(findings, check.Finding{Title: title + same.of[key][0].what, Seen: several(places)})
		}
	}
	return findings
}
