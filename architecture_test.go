package shakedown_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/shakedown-test/shakedown/"

// layers is the house from the roof down; a package imports its own layer and those below. "x/" stands for the packages in folder x.
var layers = [][]string{
	{"cmd/", "bench/"},
	{"cli"},
	{"campaign", "report", "verdict"},
	{"checks"},
	{"checks/"},
	{"judge"},
	{"check"},
	{"testbed"},
	{"fleet/share"},
	{"fleet", "world/", "link", "link/", "driver", "artefact", "artefact/"},
	{"fleet/", "wire/", "product", "firmware", "firmware/"},
	{"evidence"},
	{"world/clock"},
}

// narrower says what a package may import where its layer does not say it.
var narrower = map[string][]string{
	"report":     {"evidence", "verdict"},
	"verdict":    {"evidence"},
	"reference":  bundled,
	"reference/": bundled,
	"checks/new": {},
}

// bundled is all that the bundled product is made of.
var bundled = []string{"reference/", "driver", "link/", "world/", "wire/", "product", "evidence"}

// knowReference are the only ones, beside tests, who know the bundled product.
var knowReference = []string{"cmd/", "bench/", "cli", "campaign", "reference", "reference/"}

// file is a Go file of the module, parsed.
type file struct {
	name string // from the root, with slashes
	dir  string // the package, "." for the root
	*ast.File
}

func (f file) test() bool { return strings.HasSuffix(f.name, "_test.go") }

// house parses every Go file of the module once.
func house(t *testing.T) (*token.FileSet, []file) {
	t.Helper()
	var files []file
	set := token.NewFileSet()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != "." && (base == "testdata" || base == "node_modules" || base[0] == '.' || base[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(set, filepath.FromSlash(name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, file{name, path.Dir(name), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return set, files
}

// within reports whether a package is one of the places; "x/" stands for the packages in folder x.
func within(pkg string, places ...string) bool {
	return slices.ContainsFunc(places, func(p string) bool {
		return pkg == p || strings.HasSuffix(p, "/") && strings.HasPrefix(pkg, p)
	})
}

// layer is the number of a package's layer, counted from the roof, or -1. An exact name wins over a folder.
func layer(pkg string) int {
	folder := -1
	for i, places := range layers {
		if slices.Contains(places, pkg) {
			return i
		}
		if within(pkg, places...) {
			folder = i
		}
	}
	return folder
}

// against says which rule an import breaks, or nothing.
func against(importer, imported string) string {
	reference := within(imported, "reference", "reference/")
	if reference && !within(importer, knowReference...) {
		return "only cmd, cli, campaign and tests know the reference product"
	}
	for place, allowed := range narrower {
		if within(importer, place) {
			if !within(imported, allowed...) {
				return "it may import only: " + strings.Join(allowed, ", ")
			}
			return ""
		}
	}
	if reference {
		return ""
	}
	if path.Dir(importer) == "checks" && path.Dir(imported) == "checks" {
		return "one risk never imports another; share it through judge"
	}
	from, to := layer(importer), layer(imported)
	switch {
	case from < 0:
		return "the importer has no layer; give it one in architecture_test.go"
	case to < 0:
		return "the imported package has no layer; give it one in architecture_test.go"
	case to < from:
		return "imports run downwards only"
	}
	return ""
}

func TestImportsRunDownwards(t *testing.T) {
	_, files := house(t)
	for _, f := range files {
		if f.test() {
			continue
		}
		for _, spec := range f.Imports {
			imported, ours := strings.CutPrefix(unquote(spec.Path), module)
			if !ours {
				continue
			}
			if rule := against(f.dir, imported); rule != "" {
				t.Errorf("%s imports %s: %s", f.name, imported, rule)
			}
		}
	}
}

func TestAgainst(t *testing.T) {
	for _, c := range []struct {
		importer, imported string
		allowed            bool
	}{
		{"checks/fault", "check", true},
		{"checks/fault", "judge", true},
		{"checks/fault", "checks/ota", false},
		{"check", "checks/fault", false},
		{"world/broker", "world/clock", true},
		{"evidence", "world/clock", true},
		{"world/clock", "evidence", false},
		{"wire/mqtt", "world/broker", false},
		{"report", "testbed", false},
		{"report", "verdict", true},
		{"checks/fault", "reference/device", false},
		{"campaign", "reference/device", true},
		{"reference/device", "wire/mqtt", true},
		{"reference/device", "testbed", false},
		{"reference", "reference/device", true},
		{"cli", "reference", true},
		{"util", "check", false},
	} {
		if got := against(c.importer, c.imported); (got == "") != c.allowed {
			t.Errorf("%s imports %s: allowed should be %v, the rule says %q", c.importer, c.imported, c.allowed, got)
		}
	}
}

func TestSizes(t *testing.T) {
	const maxFile, maxFunc, maxPackages = 800, 80, 125
	set, files := house(t)
	packages := map[string]bool{}
	for _, f := range files {
		packages[f.dir] = true
		if strings.Count(f.dir, "/") > 1 {
			t.Errorf("%s: folders are two levels deep", f.dir)
		}
		if lines := set.File(f.FileStart).LineCount(); lines > maxFile {
			t.Errorf("%s has %d lines, more than %d", f.name, lines, maxFile)
		}
		if f.test() {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				if lines := set.Position(fn.End()).Line - set.Position(fn.Pos()).Line + 1; lines > maxFunc {
					t.Errorf("%s: %s has %d lines, more than %d", set.Position(fn.Pos()), fn.Name.Name, lines, maxFunc)
				}
			}
		}
	}
	if len(packages) > maxPackages {
		t.Errorf("%d packages, more than %d", len(packages), maxPackages)
	}
}

func unquote(l *ast.BasicLit) string {
	s, err := strconv.Unquote(l.Value)
	if err != nil {
		return l.Value
	}
	return s
}

// Every direct module has its line of reason in the first decision.
func TestModulesHaveReasons(t *testing.T) {
	page, err := os.ReadFile("docs/decisions/0001-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	direct := 0
	for line := range strings.Lines(string(file)) {
		module, version, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || !strings.HasPrefix(version, "v") || strings.Contains(version, "// indirect") {
			continue
		}
		direct++
		if !strings.Contains(string(page), module) {
			t.Errorf("%s has no reason in docs/decisions/0001-dependencies.md", module)
		}
	}
	if direct == 0 {
		t.Error("go.mod names no direct module")
	}
}
