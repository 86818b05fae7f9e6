package trust

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/world/pki"
)

func day(text string) time.Time {
	t, err := time.Parse("2006-01-02", text)
	if err != nil {
		panic(err)
	}
	return t
}

// family makes certificates and gives up the test when it cannot.
type family struct{ *testing.T }

func (f family) ca(by *pki.Fixed, name, from, to string) *pki.Fixed {
	f.Helper()
	c, err := pki.FixedAuthority(by, name, day(from), day(to))
	if err != nil {
		f.Fatal(err)
	}
	return c
}

func (f family) server(by *pki.Fixed, from, to string) *pki.Fixed {
	f.Helper()
	c, err := pki.FixedHolder(by, "server.test", day(from), day(to), func(c *x509.Certificate) {
		c.DNSNames = []string{"server.test"}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
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

// chains are what became history, with other names, and the ordinary cases.
func chains(t *testing.T) map[string]struct {
	sent, roots []*x509.Certificate
	at          string
	ok          [3]bool // of SentOrder, FirstMatch, Full
	says        string  // part of what the first that fails says
} {
	f := family{t}
	root := f.ca(nil, "Root", "2015-01-01", "2035-01-01")
	other := f.ca(nil, "Other Root", "2015-01-01", "2035-01-01")
	sub := f.ca(root, "Intermediate", "2020-01-01", "2030-01-01")
	leaf := f.server(sub, "2024-01-01", "2024-04-01")
	direct := f.server(root, "2024-01-01", "2024-04-01")
	old := f.ca(nil, "Old Root", "2000-05-30", "2020-05-30")
	cross := f.ca(old, "Root", "2000-05-30", "2020-05-30")
	long := f.ca(old, "Root", "2015-01-20", "2024-09-30") // lives longer than its issuer
	ended := f.ca(root, "Ended", "2019-01-01", "2023-01-01")
	below := f.server(ended, "2022-01-01", "2026-01-01")
	all, none := [3]bool{true, true, true}, [3]bool{}
	type c = struct {
		sent, roots []*x509.Certificate
		at          string
		ok          [3]bool
		says        string
	}
	return map[string]c{
		"ordinary":                {certs(leaf, sub), certs(root), "2024-02-01", all, ""},
		"with its root":           {certs(leaf, sub, root), certs(other, root), "2024-02-01", all, ""},
		"below a root":            {certs(direct), certs(root), "2024-02-01", all, ""},
		"pinned itself":           {certs(leaf), certs(leaf), "2024-02-01", all, ""},
		"pinned intermediate":     {certs(leaf, sub), certs(sub), "2024-02-01", all, ""},
		"missing intermediate":    {certs(leaf), certs(root), "2024-02-01", none, `the issuer of "server.test", "Intermediate", is neither sent nor trusted`},
		"another root":            {certs(leaf, sub), certs(other), "2024-02-01", none, `the issuer of "Intermediate", "Root", is neither sent nor trusted`},
		"root sent, not trusted":  {certs(leaf, sub, root), certs(other), "2024-02-01", none, `"Root" signed itself and is not trusted`},
		"ended":                   {certs(leaf, sub), certs(root), "2024-05-01", none, `"server.test" ended on 2024-04-01`},
		"not begun":               {certs(leaf, sub), certs(root), "2023-12-01", none, `"server.test" begins on 2024-01-01`},
		"intermediate ended":      {certs(below, ended), certs(root), "2024-02-01", none, `"Ended" ended on 2023-01-01`},
		"root ended":              {certs(leaf, sub), certs(root), "2036-01-01", none, `"server.test" ended`},
		"root before":             {certs(leaf, root, sub), certs(root), "2024-02-01", [3]bool{false, true, true}, `"Root" is sent behind "server.test" and did not issue it`},
		"a stray one":             {certs(leaf, other, sub), certs(root), "2024-02-01", [3]bool{false, true, true}, `"Other Root" is sent behind "server.test"`},
		"signed by a server":      {certs(f.server(leaf, "2024-01-01", "2024-04-01"), leaf, sub), certs(root), "2024-02-01", none, ""},
		"cross, before it ended":  {certs(leaf, sub, cross), certs(old, root), "2020-05-29", none, "begins"},
		"AddTrust 2020":           {certs(leaf, sub, cross), certs(old, root), "2024-02-01", [3]bool{false, false, true}, `"Root" ended on 2020-05-30`},
		"DST X3 2021":             {certs(leaf, sub, long), certs(old, root), "2024-02-01", [3]bool{false, false, true}, `"Old Root" ended on 2020-05-30`},
		"DST X3, taken out":       {certs(leaf, sub, long), certs(root), "2024-02-01", [3]bool{false, false, true}, `the issuer of "Root", "Old Root", is neither sent nor trusted`},
		"DST X3, old device":      {certs(leaf, sub, long), certs(old), "2024-02-01", none, `"Old Root" ended`},
		"nothing sent":            {nil, certs(root), "2024-02-01", none, "no certificate is sent"},
		"nothing trusted":         {certs(leaf, sub), nil, "2024-02-01", none, "neither sent nor trusted"},
		"issuers go round":        {certs(leaf, sub, f.ca(other, "Root", "2015-01-01", "2035-01-01"), f.ca(root, "Other Root", "2015-01-01", "2035-01-01")), nil, "2024-02-01", none, ""},
		"the same one many times": {certs(leaf, sub, sub, sub), certs(root), "2024-02-01", [3]bool{false, true, true}, "did not issue it"},
	}
}

func TestPaths(t *testing.T) {
	for name, c := range chains(t) {
		said := ""
		for i, client := range Clients {
			paths, err := client.Paths(c.sent, c.roots, day(c.at))
			if (err == nil) != c.ok[i] || (len(paths) > 0) != c.ok[i] {
				t.Errorf("%s: clients %s: %v", name, client.Text(), err)
			}
			if err != nil && said == "" {
				said = err.Error()
			}
			for _, p := range paths {
				if !p[0].Equal(c.sent[0]) {
					t.Errorf("%s: a path of clients %s begins with %s", name, client.Text(), Name(p[0]))
				}
			}
		}
		if !strings.Contains(said, c.says) {
			t.Errorf("%s: %q, want %q", name, said, c.says)
		}
	}
}

// What the full client says of a chain without its intermediate names the certificate whose issuer is lost.
func TestLost(t *testing.T) {
	c := chains(t)["missing intermediate"]
	for _, client := range Clients {
		_, err := client.Paths(c.sent, c.roots, day(c.at))
		var p *Problem
		if !errors.As(err, &p) || !p.Lost || p.Cert != c.sent[0] {
			t.Errorf("%s: %+v", client, err)
		}
	}
}

func TestHorizon(t *testing.T) {
	f := family{t}
	root := f.ca(nil, "Root", "2015-01-01", "2035-01-01")
	sub := f.ca(root, "Intermediate", "2018-01-01", "2030-01-01")
	leaf := f.server(sub, "2020-03-01", "2020-06-20")
	old := f.ca(nil, "Old Root", "2000-05-30", "2020-05-30")
	long := f.ca(old, "Root", "2015-01-20", "2024-09-30")
	older := f.ca(nil, "Ancient Root", "2000-05-30", "2032-05-30")
	short := f.ca(older, "Root", "2015-01-20", "2024-09-30")
	at := day("2020-04-01")
	for name, c := range map[string]struct {
		client        Client
		sent, roots   []*x509.Certificate
		ends, horizon string
	}{
		"renewed, below its root":             {Full, certs(leaf, sub), certs(root), "2020-06-20", "2035-01-01"},
		"in order":                            {SentOrder, certs(leaf, sub), certs(root), "2020-06-20", "2035-01-01"},
		"around a root that ends":             {Full, certs(leaf, sub, long), certs(old, root), "2020-06-20", "2035-01-01"},
		"to a root that ends":                 {FirstMatch, certs(leaf, sub, long), certs(old, root), "2020-05-30", "2020-05-30"},
		"the old root alone":                  {Full, certs(leaf, sub, long), certs(old), "2020-05-30", "2020-05-30"},
		"what one root certified of another":  {Full, certs(leaf, sub, short, root), certs(older), "2020-06-20", "2024-09-30"},
		"pinned: nothing else can be renewed": {Full, certs(leaf), certs(leaf), "2020-06-20", "2020-06-20"},
	} {
		ends, _, err := c.client.Ends(c.sent, c.roots, at)
		if err != nil || !ends.Equal(day(c.ends)) {
			t.Errorf("%s: ends %s (%v), want %s", name, ends, err, c.ends)
		}
		horizon, cert, err := c.client.Horizon(c.sent, c.roots, at)
		if err != nil || !horizon.Equal(day(c.horizon)) || !cert.NotAfter.Equal(horizon) {
			t.Errorf("%s: horizon %s (%v), want %s", name, horizon, err, c.horizon)
		}
	}
	if _, _, err := Full.Horizon(certs(leaf, sub), certs(root), day("2036-01-01")); err == nil {
		t.Error("a chain that has ended has a horizon")
	}
}

func TestClassed(t *testing.T) {
	f := family{t}
	root := f.ca(nil, "Root", "2015-01-01", "2035-01-01")
	leaf := f.server(root, "2020-01-01", "2021-01-01")
	if !Self(root.Cert) || !Authority(root.Cert) || Self(leaf.Cert) || Authority(leaf.Cert) || Public(leaf.Cert) {
		t.Error("a root is not told from a server's certificate")
	}
	if got := Authorities(certs(root, leaf, root)); len(got) != 1 {
		t.Errorf("%d authorities, want 1", len(got))
	}
	a, err := pki.New(func() time.Time { return day("2026-01-01") })
	if err != nil {
		t.Fatal(err)
	}
	chain, err := a.Server(pki.RootExpiredCrossSigned, "x.test")
	if err != nil {
		t.Fatal(err)
	}
	if Name(chain.Leaf) != `"x.test"` {
		t.Error(Name(chain.Leaf))
	}
}
