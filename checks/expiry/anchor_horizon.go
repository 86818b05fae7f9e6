package expiry

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// AnchorHorizon compares the end of the roots that the product needs with that of its support.
var AnchorHorizon = &check.Check{
	ID:       "expiry.anchor-horizon",
	Title:    "Needs no root that ends before its support does",
	Why:      "When the one root ends that leads to the cloud, devices in the field reach neither the cloud nor their updates. A store of a hundred other roots does not help.",
	Pass:     "every authority in it that stands by itself, and every root that its endpoints' chains need, ends 30 days or more after support_until; other roots of a store may end",
	Fix:      "Add the roots that come next, now, while all devices still can be updated, and move the servers to one that lasts.",
	Severity: check.Major,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-009", "INC-011", "INC-037"},
	Rows:         []string{"CERT-HORIZON"},
	Sources:      []string{"the margin of 30 days is our choice"},

	Needs:   check.Needs{Real: product.Inspected, Declares: []string{"support_until"}},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: anchorHorizon,
}

func anchorHorizon(_ context.Context, t *check.T) error {
	endpoints := judge.Used(t.Product, judge.Endpoints(t.Artefacts))
	looked := 0
	for _, f := range judge.Shipped(t.Artefacts) {
		needed := anchors(judge.Certificates(f), endpoints, t.Clock.Now())
		looked += len(needed)
		t.Record("%s: %d roots were looked at", f.File, len(needed))
		t.Find(judgeAnchorHorizon(needed, t.Clock.Now(), t.Product.Declared.SupportUntil.Time)...)
	}
	return t.LookedAt(looked, "roots that something needs")
}

// anchor is a root that something needs.
type anchor struct {
	*x509.Certificate
	ends  time.Time // of the path that goes through it
	where string
	why   string
}

// anchors are the roots that are needed: those that stand by themselves, and of a store those that the endpoints' chains lead to. Which
// of several paths lasts longest decides.
func anchors(list []judge.Certificate, endpoints []judge.Endpoint, now time.Time) (needed []anchor) {
	var roots []*x509.Certificate
	places := map[string]string{}
	for _, c := range list {
		if c.Use != judge.Bundled && c.Use != judge.Anchor {
			continue
		}
		roots = append(roots, c.Certificate)
		places[string(c.Raw)] = c.Where()
		if c.Use == judge.Anchor {
			needed = append(needed, anchor{c.Certificate, c.NotAfter, c.Where(), "it stands by itself"})
		}
	}
	for _, e := range endpoints {
		until, cert, err := trust.Full.Horizon(e.Sent, roots, judge.While(e.Sent[0], now))
		if err != nil {
			continue // another check tells of it
		}
		if i := slices.IndexFunc(needed, func(a anchor) bool { return a.Equal(cert) }); i >= 0 {
			needed[i].why += ", " + e.Name + " needs it"
			continue
		}
		where, ok := places[string(cert.Raw)]
		if !ok {
			where = "what " + e.Name + " sends"
		}
		needed = append(needed, anchor{cert, until, where, e.Name + " needs it"})
	}
	return needed
}

// judgeAnchorHorizon finds roots that end too early; those that have ended are another check's. It is a blocker within a year from now.
func judgeAnchorHorizon(needed []anchor, now, support time.Time) (findings []check.Finding) {
	for _, a := range needed {
		if now.After(a.ends) || !a.ends.Before(support.Add(margin)) {
			continue
		}
		f := check.Finding{
			Title: fmt.Sprintf("Needs the root %s, which ends before the support does", name(a.Certificate)),
			Seen:  fmt.Sprintf("it ends on %s, and the support on %s; %s; it lies in %s", judge.Day(a.ends), judge.Day(support), a.why, a.where),
		}
		if a.ends.Before(now.AddDate(1, 0, 0)) {
			f.Severity = check.Blocker
		}
		findings = append(findings, f)
	}
	return findings
}

func name(c *x509.Certificate) string { return trust.Name(c) }
