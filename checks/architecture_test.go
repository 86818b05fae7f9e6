package checks_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks"
	"github.com/shakedown-test/shakedown/product"
)

// source is a check as it stands in the source of a risk.
type source struct {
	risk     string // folder
	file     string // base name
	variable string
	fields   map[string]ast.Expr
}

func (s source) id() string {
	if id, ok := s.fields["ID"].(*ast.BasicLit); ok {
		return strings.Trim(id.Value, `"`)
	}
	return ""
}

// parsed is what the folder of one risk holds.
type parsed struct {
	checks []source
	listed []string // variables in the list of the risk
}

func parseRisk(t *testing.T, risk string) parsed {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(risk, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var p parsed
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range variables(f) {
			switch typeName(v.value) {
			case "check.Check":
				p.checks = append(p.checks, source{risk: risk, file: filepath.Base(name), variable: v.name, fields: fields(v.value)})
			case "check.Risk":
				if list, ok := fields(v.value)["Checks"].(*ast.CompositeLit); ok {
					for _, e := range list.Elts {
						if id, ok := e.(*ast.Ident); ok {
							p.listed = append(p.listed, id.Name)
						}
					}
				}
			}
		}
	}
	return p
}

type variable struct {
	name  string
	value *ast.CompositeLit
}

// variables are the package-level variables whose value is T{…} or &T{…}.
func variables(f *ast.File) []variable {
	var all []variable
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, e := range v.Values {
				if u, ok := e.(*ast.UnaryExpr); ok && u.Op == token.AND {
					e = u.X
				}
				if c, ok := e.(*ast.CompositeLit); ok {
					all = append(all, variable{v.Names[i].Name, c})
				}
			}
		}
	}
	return all
}

func typeName(c *ast.CompositeLit) string {
	s, ok := c.Type.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + s.Sel.Name
}

func fields(c *ast.CompositeLit) map[string]ast.Expr {
	all := map[string]ast.Expr{}
	for _, e := range c.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				all[key.Name] = kv.Value
			}
		}
	}
	return all
}

// literal reports whether an expression can be read without running anything: literals, constants of other packages, and what is made
// of them.
func literal(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit, *ast.SelectorExpr:
		return true
	case *ast.Ident:
		return e.Name == "true"
	case *ast.BinaryExpr:
		return literal(e.X) && literal(e.Y)
	case *ast.KeyValueExpr:
		return literal(e.Value)
	case *ast.CompositeLit:
		return !slices.ContainsFunc(e.Elts, func(e ast.Expr) bool { return !literal(e) })
	}
	return false
}

func TestEveryCheckIsListedOnce(t *testing.T) {
	for _, risk := range checks.All() {
		p := parseRisk(t, risk.ID)
		for _, s := range p.checks {
			switch n := count(p.listed, s.variable); {
			case n == 0:
				t.Errorf("%s/%s: %s is missing from the list in %s/doc.go", s.risk, s.file, s.variable, s.risk)
			case n > 1:
				t.Errorf("%s/doc.go lists %s %d times", s.risk, s.variable, n)
			}
		}
		for _, name := range p.listed {
			if !slices.ContainsFunc(p.checks, func(s source) bool { return s.variable == name }) {
				t.Errorf("%s/doc.go lists %s, which is no variable with a literal &check.Check{…}", risk.ID, name)
			}
		}
		if len(risk.Checks) != len(p.listed) {
			t.Errorf("%s: the risk has %d checks, the list in doc.go names %d", risk.ID, len(risk.Checks), len(p.listed))
		}
	}
}

func count(all []string, s string) int {
	n := 0
	for _, x := range all {
		if x == s {
			n++
		}
	}
	return n
}

// TestNamesAgree holds id, file and variable together: fault.reconnect-backoff is ReconnectBackoff in fault/reconnect_backoff.go.
// Case is free, so that tls-sni may be TLSSNI.
func TestNamesAgree(t *testing.T) {
	for _, risk := range checks.All() {
		in := map[string]int{}
		for _, s := range parseRisk(t, risk.ID).checks {
			where := s.risk + "/" + s.file + ": " + s.variable
			if in[s.file]++; in[s.file] == 2 {
				t.Errorf("%s/%s holds more than one check", s.risk, s.file)
			}
			folder, slug, ok := strings.Cut(s.id(), ".")
			if !ok || folder != s.risk || !slugs.MatchString(slug) {
				t.Errorf("%s: id %q is not %s. and lower-case words joined by hyphens", where, s.id(), s.risk)
				continue
			}
			if want := strings.ReplaceAll(slug, "-", "_") + ".go"; s.file != want {
				t.Errorf("%s: the file of %s should be %s", where, s.id(), want)
			}
			if !ast.IsExported(s.variable) || !strings.EqualFold(s.variable, strings.ReplaceAll(slug, "-", "")) {
				t.Errorf("%s: the variable of %s should be its words joined in CamelCase", where, s.id())
			}
		}
	}
}

var slugs = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func TestMetadataIsLiteral(t *testing.T) {
	for _, risk := range checks.All() {
		for _, s := range parseRisk(t, risk.ID).checks {
			for name, value := range s.fields {
				if name != "Run" && !literal(value) {
					t.Errorf("%s/%s: %s of %s is computed; write it out", s.risk, s.file, name, s.variable)
				}
			}
		}
	}
}

func TestMetadataIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, risk := range checks.All() {
		for _, c := range risk.Checks {
			if seen[c.ID] {
				t.Errorf("%s stands there twice", c.ID)
			}
			seen[c.ID] = true
			for _, mistake := range mistakes(c) {
				t.Errorf("%s: %s", c.ID, mistake)
			}
		}
	}
}

var (
	sentenceEnd = regexp.MustCompile(`[.!?](\s|$)`)
	decidable   = regexp.MustCompile(`\d|\b(no|not|never|every|exactly|all|only)\b`)
)

// mistakes says what is wrong with the metadata of a check.
func mistakes(c *check.Check) []string {
	var m []string
	expect := func(ok bool, otherwise string) {
		if !ok {
			m = append(m, otherwise)
		}
	}
	expect(c.Title != "" && c.Title[0] >= 'A' && c.Title[0] <= 'Z', "Title does not start with an upper-case letter")
	expect(!strings.HasSuffix(c.Title, "."), "Title ends in a full stop")
	expect(c.Why != "", "Why is empty")
	expect(len(sentenceEnd.FindAllString(c.Why, -1)) <= 3, "Why has more than three sentences")
	expect(decidable.MatchString(c.Pass), "Pass names no number and none of no, not, never, every, exactly, all, only")
	expect(c.Fix != "", "Fix is empty")
	expect(slices.Contains([]check.Severity{check.Blocker, check.Major, check.Minor, check.Info}, c.Severity), "Severity is not one of the four")
	expect(slices.Contains([]check.Impact{check.Observes, check.Disturbs, check.Restarts}, c.Impact), "Impact is not one of the three")
	expect(c.Needs.Real != product.Role(""), "Needs.Real is empty")
	expect(c.Typical > 0, "Typical is not positive")
	expect(c.Limit >= c.Typical, "Limit is shorter than Typical")
	expect(c.Run != nil, "Run is nil")
	for _, id := range c.Requirements {
		_, ok := checks.Requirement(id)
		expect(ok, "unknown requirement "+id)
	}
	for _, id := range c.Incidents {
		_, ok := checks.Incident(id)
		expect(ok, "unknown incident "+id)
	}
	return m
}

// TestMistakesAreFound shows that an empty check would not slip through.
func TestMistakesAreFound(t *testing.T) {
	bad := &check.Check{Title: "works.", Why: "A. B. C. D.", Pass: "good", Requirements: []string{"X:1"}, Incidents: []string{"INC-0"}}
	bad.Typical, bad.Limit = 2, 1
	if got := mistakes(bad); len(got) != 12 {
		t.Errorf("%d mistakes, want 12:\n%s", len(got), strings.Join(got, "\n"))
	}
}

// TestNoLeftoversOfTheTemplate: the scaffold marks what is still to be written with ‹ ›.
func TestNoLeftoversOfTheTemplate(t *testing.T) {
	for _, risk := range checks.All() {
		files, err := filepath.Glob(filepath.Join(risk.ID, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(string(text), "\n") {
				if strings.ContainsAny(line, "‹›") {
					t.Errorf("%s:%d: still to be written: %s", name, i+1, strings.TrimSpace(line))
				}
			}
		}
	}
}
