package expiry

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/artefact/trust"
	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/world/pki"
)

func on(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

// family makes certificates, or ends the test.
type family struct{ *testing.T }

func (f family) ca(by *pki.Fixed, name, from, to string) *pki.Fixed {
	f.Helper()
	c, err := pki.FixedAuthority(by, name, on(from), on(to))
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// server makes a certificate; with public it says that a public authority issued it.
func (f family) server(by *pki.Fixed, from, to string, public bool) *pki.Fixed {
	f.Helper()
	c, err := pki.FixedHolder(by, "server.test", on(from), on(to), func(c *x509.Certificate) {
		if id, err := x509.OIDFromInts([]uint64{2, 23, 140, 1, 2, 1}); err == nil && public {
			c.Policies = []x509.OID{id}
		}
	})
	if err != nil {
		f.Fatal(err)
	}
	return c
}

func certs(list ...*pki.Fixed) (all []*x509.Certificate) {
	for _, c := range list {
		all = append(all, c.Cert)
	}
	return all
}

func sends(list ...*pki.Fixed) judge.Endpoint {
	return judge.Endpoint{Name: "tls://server.test:443", Sent: certs(list...)}
}

func held(use judge.Use, f *pki.Fixed) judge.Certificate {
	return judge.Certificate{Certificate: f.Cert, Use: use, Places: []string{"image: etc/" + string(use) + ".pem"}}
}

// graded is the severities of findings, with the check's own as "own".
func graded(findings []check.Finding) string {
	var all []string
	for _, f := range findings {
		s := string(f.Severity)
		if s == "" {
			s = "own"
		}
		if f.Title == "" || f.Seen == "" {
			s += " without words"
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func TestJudgeShipped(t *testing.T) {
	f := family{t}
	now, support := on("2027-01-01"), on("2034-03-01")
	dead, soon := f.ca(nil, "Dead", "2010-01-01", "2020-01-01"), f.ca(nil, "Soon", "2010-01-01", "2027-06-01")
	short, long := f.ca(nil, "Short", "2010-01-01", "2030-01-01"), f.ca(nil, "Long", "2010-01-01", "2050-01-01")
	leaf := func(to string) *pki.Fixed { return f.server(long, "2019-01-01", to, false) }
	for name, c := range map[string]struct {
		list                  []judge.Certificate
		expired, own, anchors string
	}{
		"nothing":          {nil, "", "", ""},
		"all last":         {[]judge.Certificate{held(judge.Own, leaf("2050-01-01")), held(judge.Anchor, long), held(judge.Bundled, long)}, "", "", ""},
		"own, ended":       {[]judge.Certificate{held(judge.Own, leaf("2026-01-01"))}, "own", "", ""},
		"own, soon":        {[]judge.Certificate{held(judge.Own, leaf("2027-06-01"))}, "", "blocker", ""},
		"own, short":       {[]judge.Certificate{held(judge.Own, leaf("2030-01-01"))}, "", "own", ""},
		"within margin":    {[]judge.Certificate{held(judge.Own, leaf("2034-03-15"))}, "", "own", ""},
		"anchor, ended":    {[]judge.Certificate{held(judge.Anchor, dead)}, "own", "", ""},
		"anchor, soon":     {[]judge.Certificate{held(judge.Anchor, soon)}, "", "", "blocker"},
		"anchor, short":    {[]judge.Certificate{held(judge.Anchor, short)}, "", "", "own"},
		"in a store":       {[]judge.Certificate{held(judge.Bundled, dead), held(judge.Bundled, short), held(judge.Bundled, long)}, "info", "", ""},
		"example, signing": {[]judge.Certificate{held(judge.Example, dead), held(judge.Signing, dead), held(judge.Example, short)}, "", "", ""},
	} {
		if got := graded(judgeShippedExpired(c.list, now)); got != c.expired {
			t.Errorf("%s: expired %q, want %q", name, got, c.expired)
		}
		if got := graded(judgeOwnHorizon(c.list, now, support)); got != c.own {
			t.Errorf("%s: own %q, want %q", name, got, c.own)
		}
		if got := graded(judgeAnchorHorizon(anchors(c.list, nil, now), now, support)); got != c.anchors {
			t.Errorf("%s: anchors %q, want %q", name, got, c.anchors)
		}
	}
}

// What a store holds counts as far as an endpoint needs it.
func TestAnchors(t *testing.T) {
	f := family{t}
	short, long := f.ca(nil, "Short", "2010-01-01", "2030-01-01"), f.ca(nil, "Long", "2010-01-01", "2050-01-01")
	e := sends(f.server(short, "2027-01-01", "2027-03-01", false))
	store := []judge.Certificate{held(judge.Bundled, short), held(judge.Bundled, long)}
	if got := anchors(store, nil, on("2027-02-01")); len(got) != 0 {
		t.Errorf("of a store that nothing needs: %+v", got)
	}
	got := anchors(append(store, held(judge.Anchor, short)), []judge.Endpoint{e, e}, on("2027-02-01"))
	if len(got) != 1 || !got[0].Equal(short.Cert) || !strings.Contains(got[0].why, "stands by itself, tls://server.test:443 needs it") {
		t.Errorf("needed: %+v", got)
	}
}

func TestJudgeEndpoint(t *testing.T) {
	f := family{t}
	root := f.ca(nil, "Root", "2010-01-01", "2050-01-01")
	sub, dead := f.ca(root, "Sub", "2010-01-01", "2040-01-01"), f.ca(root, "Dead", "2010-01-01", "2020-01-01")
	server := func(from, to string) *pki.Fixed { return f.server(sub, from, to, true) }
	now := on("2027-02-01")
	for name, c := range map[string]struct {
		e                                 judge.Endpoint
		renewal, ended, missing, lifetime string
	}{
		"fine":               {sends(server("2027-01-01", "2027-04-01"), sub), "", "", "", ""},
		"below the root":     {sends(f.server(root, "2027-01-01", "2027-04-01", false)), "", "", "", ""},
		"a tenth is left":    {sends(server("2026-11-15", "2027-02-10"), sub), "own", "", "", ""},
		"long, 40 days left": {sends(server("2026-02-01", "2027-03-13"), sub), "", "", "", "own"},
		"ended":              {sends(server("2026-10-01", "2027-01-01"), sub), "blocker", "", "", ""},
		"a dead member":      {sends(server("2027-01-01", "2027-04-01"), sub, dead), "", "own", "", ""},
		"alone":              {sends(server("2027-01-01", "2027-04-01")), "", "", "own", ""},
		"with a stray":       {sends(server("2027-01-01", "2027-04-01"), root), "", "", "own", ""},
		"398 days of old":    {sends(server("2026-03-01", "2027-04-03"), sub), "", "", "", ""},
		"200 days":           {sends(server("2026-09-01", "2027-03-20"), sub), "", "", "", ""},
		"210 days":           {sends(server("2026-09-01", "2027-03-30"), sub), "", "", "", "own"},
	} {
		if got := graded(judgeEndpointRenewal(c.e, now)); got != c.renewal {
			t.Errorf("%s: renewal %q, want %q", name, got, c.renewal)
		}
		if got := graded(judgeEndedMember(c.e, now)); got != c.ended {
			t.Errorf("%s: ended member %q, want %q", name, got, c.ended)
		}
		if decided, got := judgeMissingIntermediate(c.e, certs(root)); !decided || graded(got) != c.missing {
			t.Errorf("%s: missing %q, want %q", name, graded(got), c.missing)
		}
		if got := graded(judgeLifetime(c.e)); got != c.lifetime {
			t.Errorf("%s: lifetime %q, want %q", name, got, c.lifetime)
		}
	}
	if decided, _ := judgeMissingIntermediate(sends(f.server(sub, "2027-01-01", "2027-04-01", false)), nil); decided {
		t.Error("whether a private root issued it is not known, and was decided")
	}
	if decided, got := judgeMissingIntermediate(sends(server("2027-01-01", "2027-04-01")), nil); !decided || len(got) != 1 {
		t.Error("public roots issue no server certificates")
	}
}

func TestJudgeReach(t *testing.T) {
	f := family{t}
	root, other := f.ca(nil, "Root", "2010-01-01", "2050-01-01"), f.ca(nil, "Other", "2010-01-01", "2050-01-01")
	old := f.ca(nil, "Old", "2010-01-01", "2029-01-01")
	sub := f.ca(root, "Sub", "2010-01-01", "2040-01-01")
	server := f.server(sub, "2027-01-01", "2027-04-01", true)
	cross := f.ca(old, "Root", "2010-01-01", "2045-01-01")
	now, support := on("2027-02-01"), on("2034-03-01")
	for name, c := range map[string]struct {
		e              judge.Endpoint
		roots          []*x509.Certificate
		legacy, reach  string
		mayNotDecide   bool
		without, until string // reach without a support end, and with one that is early
	}{
		"fine":               {e: sends(server, sub), roots: certs(root, old)},
		"no root":            {e: sends(server, sub), roots: certs(other), reach: "own", mayNotDecide: true, without: "own", until: "own"},
		"around the old one": {e: sends(server, sub, cross), roots: certs(old, root), legacy: "major"},
		"old root alone":     {e: sends(server, sub, cross), roots: certs(old), reach: "major", without: "major"},
		"old root, removed":  {e: sends(server, sub, cross), roots: certs(root), legacy: "major"},
		"a stray in between": {e: sends(server, other, sub), roots: certs(root), legacy: "minor"},
		"server ended":       {e: sends(f.server(sub, "2026-01-01", "2026-04-01", true), sub), roots: certs(root)},
	} {
		decided, legacy := judgeLegacyClient(c.e, "image", c.roots, now, support)
		if decided == c.mayNotDecide || graded(legacy) != c.legacy {
			t.Errorf("%s: legacy %q (%t), want %q", name, graded(legacy), decided, c.legacy)
		}
		if got := graded(judgeRootCoverage(c.e, "image", c.roots, now, support)); got != c.reach {
			t.Errorf("%s: reach %q, want %q", name, got, c.reach)
		}
		if got := graded(judgeRootCoverage(c.e, "image", c.roots, now, time.Time{})); got != c.without {
			t.Errorf("%s: reach without an end %q, want %q", name, got, c.without)
		}
		if got := graded(judgeRootCoverage(c.e, "image", c.roots, now, on("2028-06-01"))); got != c.until {
			t.Errorf("%s: reach until 2028 %q, want %q", name, got, c.until)
		}
	}
	if got := judgeRootCoverage(sends(server, sub, cross), "image", certs(old), on("2028-06-01"), support); graded(got) != "blocker" {
		t.Errorf("within a year: %q", graded(got))
	}
}

func TestJudgePins(t *testing.T) {
	f := family{t}
	root := f.ca(nil, "Root", "2010-01-01", "2050-01-01")
	sub := f.ca(root, "Sub", "2010-01-01", "2040-01-01")
	e, own := sends(f.server(sub, "2027-01-01", "2027-04-01", true), sub), sends(f.server(sub, "2027-01-01", "2027-04-01", false), sub)
	reserve := f.ca(nil, "Reserve", "2010-01-01", "2050-01-01")
	set := func(list ...*pki.Fixed) pinSet {
		s := pinSet{where: map[[32]byte]string{}}
		for _, c := range list {
			s.order = append(s.order, trust.Pin(c.Cert))
			s.where[trust.Pin(c.Cert)] = "app"
		}
		return s
	}
	for name, c := range map[string]struct {
		set  pinSet
		e    judge.Endpoint
		want string
	}{
		"none":                       {set(), e, ""},
		"a root and another":         {set(root, reserve), e, ""},
		"one":                        {set(root), e, "own"},
		"an intermediate":            {set(sub), e, "own blocker"},
		"an intermediate and unsure": {set(sub, reserve), e, "own"},
		"an intermediate, its root":  {set(sub, root), e, ""},
		"of its own authority":       {set(sub, reserve), own, ""},
	} {
		if got := graded(judgePins(c.set, certs(root), []judge.Endpoint{c.e})); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestJudgeCalendar(t *testing.T) {
	now, support := on("2027-02-01"), on("2034-03-01")
	b := func(kind evidence.BreakKind, when string) evidence.Break {
		return evidence.Break{When: on(when), Kind: kind, What: "x", Where: "y"}
	}
	for name, c := range map[string]struct {
		list    []evidence.Break
		support time.Time
		want    int
	}{
		"nothing":               {nil, support, 0},
		"what servers renew":    {[]evidence.Break{b(evidence.EndServer, "2027-03-01"), b(evidence.RuleBegins, "2029-03-15")}, support, 0},
		"its own":               {[]evidence.Break{b(evidence.EndOwn, "2030-03-01"), b(evidence.EndRoot, "2031-03-01")}, support, 1},
		"after the support":     {[]evidence.Break{b(evidence.EndOwn, "2035-03-01")}, support, 0},
		"no end of the support": {[]evidence.Break{b(evidence.EndOwn, "2035-03-01")}, time.Time{}, 1},
		"past":                  {[]evidence.Break{b(evidence.EndOwn, "2026-03-01")}, support, 0},
	} {
		if got := judgeCalendar(c.list, now, c.support); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	got := ahead([]evidence.Break{b(evidence.EndOwn, "2040-01-01"), b(evidence.EndOwn, "2030-01-01"), b(evidence.EndRoot, "2028-01-01"), b(evidence.EndRoot, "2028-01-01"), b(evidence.EndOwn, "2020-01-01")}, now)
	if len(got) != 2 || got[0].Kind != evidence.EndRoot {
		t.Errorf("in order: %+v", got)
	}
}
