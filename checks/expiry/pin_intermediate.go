package expiry

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// PinIntermediate looks at which keys are pinned.
var PinIntermediate = &check.Check{
	ID:       "expiry.pin-intermediate",
	Title:    "Pins no key that others replace, and has a pin in reserve",
	Why:      "Public authorities replace intermediates when they like, and certificates last weeks. Whoever pins one is cut off that day, from updates too; so is one whose only pinned key is lost or stolen.",
	Pass:     "2 different pins or more; none is that of a certificate or intermediate that a public authority issued to an endpoint, unless a root of it is pinned as well",
	Fix:      "Pin roots, or keys that you hold yourself, with one in reserve that lies in a safe.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-012"},
	Rows:         []string{"expiry.pin.intermediate"},
	Sources:      []string{"RFC 7469 sections 2.4 and 4.3 (a backup pin is a must)", "CA/Browser Forum ballot SC-081v3"},

	Needs:   check.Needs{Real: product.Inspected},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: pinIntermediate,
}

func pinIntermediate(_ context.Context, t *check.T) error {
	endpoints := judge.Endpoints(t.Artefacts)
	looked := 0
	for _, f := range judge.Shipped(t.Artefacts) {
		set := pinSet{where: map[[32]byte]string{}}
		for _, p := range f.Pins {
			if f.Role == product.Package && strings.HasSuffix(p.Node.Name, ".xml") {
				set.others = true // expiry.app-pins counts these
			}
			if _, ok := set.where[p.Digest]; !ok {
				set.order = append(set.order, p.Digest)
				set.where[p.Digest] = fmt.Sprintf("%s at %#x", p.Node.Path(), p.Offset)
			}
		}
		looked += len(set.order)
		t.Record("%s: %d pins were looked at", f.File, len(set.order))
		t.Find(judgePins(set, judge.Roots(f), endpoints)...)
	}
	return t.LookedAt(looked, "pins")
}

// pinSet are the pins of an artefact.
type pinSet struct {
	order [][32]byte
	where map[[32]byte]string

	others bool // that there is one alone is for another check to say
}

// judgePins finds a single pin, and pins of what public authorities replace. It is a blocker when nothing else is pinned.
func judgePins(set pinSet, roots []*x509.Certificate, endpoints []judge.Endpoint) (findings []check.Finding) {
	if len(set.order) == 1 && !set.others {
		findings = append(findings, check.Finding{
			Title: "Has one pin and none in reserve",
			Seen:  fmt.Sprintf("%s in %s is the only one", short(set.order[0]), set.where[set.order[0]]),
		})
	}
	for _, e := range endpoints {
		if !trust.Public(e.Sent[0]) {
			continue
		}
		replaced := map[[32]byte]*x509.Certificate{}
		rooted := false
		for _, c := range e.Sent {
			if !trust.Self(c) {
				replaced[trust.Pin(c)] = c
			}
		}
		for _, r := range roots {
			if _, pinned := set.where[trust.Pin(r)]; pinned && trust.Self(r) {
				delete(replaced, trust.Pin(r)) // also as another root certified it
				_, err := trust.Full.Paths(e.Sent, []*x509.Certificate{r}, e.Sent[0].NotAfter)
				rooted = rooted || err == nil
			}
		}
		for _, digest := range set.order {
			c := replaced[digest]
			if c == nil || rooted {
				continue
			}
			f := check.Finding{
				Title: fmt.Sprintf("Pins the key of %s, which its authority may replace at any time", name(c)),
				Seen:  fmt.Sprintf("%s in %s is the key of a certificate that %s sends and that ends on %s", short(digest), set.where[digest], e.Name, judge.Day(c.NotAfter)),
			}
			if len(set.order) == 1 {
				f.Severity = check.Blocker
			}
			findings = append(findings, f)
		}
	}
	return findings
}

func short(digest [32]byte) string {
	return "sha256/" + base64.StdEncoding.EncodeToString(digest[:])[:8] + "…"
}
