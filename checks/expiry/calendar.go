package expiry

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/product"
)

// Calendar lists what ends in the next ten years.
var Calendar = &check.Check{
	ID:       "expiry.calendar",
	Title:    "Has nothing that ends for good while it is supported",
	Why:      "What ends on a known day can be planned for while the product is still in everybody's hands to update, and is an outage when it is forgotten.",
	Pass:     "no certificate of the product's own, and no root that its endpoints need, ends before support_until, or within ten years where that is not declared; what servers renew does not count",
	Fix:      "Put the days into your own calendar, each with who acts and how long before.",
	Severity: check.Info,

	Requirements: []string{"CRA:I.2h", "EN303645:5.5-1"},
	Incidents:    []string{"INC-005", "INC-011"},
	Rows:         []string{"CERT-HORIZON"},
	Sources:      []string{"CA/Browser Forum ballot SC-081v3 (lifetimes of public certificates)"},

	Needs:   check.Needs{Real: product.Inspected},
	Impact:  check.Observes,
	Typical: time.Second, Limit: 10 * time.Minute,

	Run: calendar,
}

const years = 10 // that the calendar looks ahead

func calendar(_ context.Context, t *check.T) error {
	now := t.Clock.Now()
	endpoints := judge.Endpoints(t.Artefacts)
	var breaks []evidence.Break
	looked := len(endpoints)
	for _, f := range judge.Shipped(t.Artefacts) {
		list := judge.Certificates(f)
		looked += len(list) + len(f.Pins)
		breaks = append(breaks, shippedBreaks(f, list, judge.Used(t.Product, endpoints), now)...)
		breaks = append(breaks, pinBreaks(f, endpoints)...)
		for _, s := range f.KeyStores {
			if s.Encrypted {
				t.Record("the certificates in %s (%s) are encrypted: when they end is not known", s.Node.Path(), s.Kind)
			}
		}
	}
	for _, e := range endpoints {
		breaks = append(breaks, serverBreaks(e)...)
	}
	breaks = append(breaks, ruleBreaks(endpoints)...)
	support := t.Product.Declared.SupportUntil.Time
	t.Find(judgeCalendar(breaks, now, support)...)
	if l := t.Product.Launch.Time; !l.IsZero() {
		breaks = append(breaks, evidence.Break{When: l, Kind: evidence.DateLaunch, What: "launch"})
	}
	if !support.IsZero() {
		breaks = append(breaks, evidence.Break{When: support, Kind: evidence.DateSupport, What: "end of support"})
	}
	breaks = ahead(breaks, now)
	t.Breaks(breaks...)
	t.Record("%d days are in the calendar", len(breaks))
	return t.LookedAt(looked, "certificates")
}

// ahead leaves what is in the time that the calendar looks at, in order, each once.
func ahead(breaks []evidence.Break, now time.Time) []evidence.Break {
	breaks = slices.DeleteFunc(breaks, func(b evidence.Break) bool {
		return b.When.Before(now.AddDate(-1, 0, 0)) || b.When.After(now.AddDate(years, 0, 0))
	})
	slices.SortStableFunc(breaks, func(a, b evidence.Break) int {
		return cmp.Or(a.When.Compare(b.When), cmp.Compare(a.What, b.What), cmp.Compare(a.Where, b.Where))
	})
	return slices.Compact(breaks)
}

// shippedBreaks are the ends of what an artefact holds and of the roots in it that the endpoints need, also by the ways of simple clients.
func shippedBreaks(f *artefact.Facts, list []judge.Certificate, endpoints []judge.Endpoint, now time.Time) (breaks []evidence.Break) {
	who := "every unit with " + f.File
	var roots []*x509.Certificate
	for _, c := range list {
		switch c.Use {
		case judge.Own:
			breaks = append(breaks, evidence.Break{When: c.NotAfter, Kind: evidence.EndOwn, What: "certificate " + name(c.Certificate), Where: c.Where(), Who: who})
		case judge.Anchor, judge.Bundled:
			roots = append(roots, c.Certificate)
		}
	}
	if f.Role != product.Firmware {
		endpoints = nil // an app has the roots of its phone
	}
	for _, a := range anchors(list, endpoints, now) {
		breaks = append(breaks, evidence.Break{When: a.ends, Kind: evidence.EndRoot, What: "root " + name(a.Certificate) + " (" + a.why + ")", Where: a.where, Who: who})
	}
	for _, e := range endpoints {
		at := judge.While(e.Sent[0], now)
		full, _, err := trust.Full.Horizon(e.Sent, roots, at)
		if err != nil {
			continue
		}
		for _, client := range []trust.Client{trust.FirstMatch, trust.SentOrder} {
			if ends, cert, err := client.Horizon(e.Sent, roots, at); err == nil && ends.Before(full) {
				breaks = append(breaks, evidence.Break{
					When: ends, Kind: evidence.EndPath, What: "the path through " + name(cert), Where: "what " + e.Name + " sends",
					Who: fmt.Sprintf("clients %s, with the roots of %s", client.Text(), f.File),
				})
			}
		}
	}
	return breaks
}

// serverBreaks are the ends of what a server sends: they pass unseen when it is renewed in time.
func serverBreaks(e judge.Endpoint) (breaks []evidence.Break) {
	for i, c := range e.Sent {
		what := "certificate "
		if i > 0 {
			what = "intermediate "
		}
		if i > 0 && trust.Self(c) {
			continue // a root: what counts is the one in the client
		}
		breaks = append(breaks, evidence.Break{When: c.NotAfter, Kind: evidence.EndServer, What: what + name(c), Where: e.Name, Who: "all clients, if it is not renewed by then"})
	}
	return breaks
}

// pinBreaks are the ends of pinned certificates that an endpoint sends.
func pinBreaks(f *artefact.Facts, endpoints []judge.Endpoint) (breaks []evidence.Break) {
	for _, e := range endpoints {
		for _, c := range e.Sent {
			for _, p := range f.Pins {
				if p.Digest == trust.Pin(c) && !trust.Self(c) {
					breaks = append(breaks, evidence.Break{
						When: c.NotAfter, Kind: evidence.EndPin, What: "pinned key of " + name(c), Where: p.Node.Path(),
						Who: "every unit with " + f.File + ", if the key is replaced with the certificate",
					})
				}
			}
		}
	}
	return breaks
}

// ruleBreaks are the days from which public authorities issue for a shorter time only.
func ruleBreaks(endpoints []judge.Endpoint) (breaks []evidence.Break) {
	if !slices.ContainsFunc(endpoints, func(e judge.Endpoint) bool { return trust.Public(e.Sent[0]) }) {
		return nil
	}
	for _, l := range lifetimes {
		breaks = append(breaks, evidence.Break{
			When: l.from, Kind: evidence.RuleBegins, What: fmt.Sprintf("new public certificates last %d days at most", l.days),
			Where: "CA/Browser Forum", Who: "whoever renews by hand, or pins them",
		})
	}
	return breaks
}

// judgeCalendar tells of the first thing that ends for good.
func judgeCalendar(breaks []evidence.Break, now, support time.Time) []check.Finding {
	until, words := support, "before the support does"
	if until.IsZero() {
		until, words = now.AddDate(years, 0, 0), fmt.Sprintf("within %d years", years)
	}
	var ends []evidence.Break
	for _, b := range breaks {
		if (b.Kind == evidence.EndOwn || b.Kind == evidence.EndRoot) && b.When.After(now) && b.When.Before(until) {
			ends = append(ends, b)
		}
	}
	if len(ends) == 0 {
		return nil
	}
	first := slices.MinFunc(ends, func(a, b evidence.Break) int { return a.When.Compare(b.When) })
	return []check.Finding{{
		Title: "Has certificates or roots that end " + words,
		Seen:  fmt.Sprintf("%d; the first is the %s in %s, on %s", len(ends), first.What, first.Where, judge.Day(first.When)),
	}}
}
