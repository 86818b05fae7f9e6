package shakedown_test

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// prohibition keeps what a program does to the process, to time and to chance in the few places made for it.
type prohibition struct {
	pkg     string
	names   []string // what must not be used; with except, everything but these
	except  bool
	allowed []string // packages, folders ending in "/", or files
	instead string
}

var forbidden = []prohibition{
	{
		pkg: "os", names: []string{"Getenv", "LookupEnv", "Environ", "Stdin", "Stdout", "Stderr", "Exit", "Args"},
		allowed: []string{"cmd/", "cli", "checks/new", "link/join/first_linux.go", "bench/", "examples/makers"},
		instead: "take it from the caller; package cli has the process",
	},
	{
		pkg: "fmt", names: []string{"Print", "Printf", "Println"},
		allowed: []string{"cmd/", "cli", "bench/"},
		instead: "write to an io.Writer that was given",
	},
	{pkg: "log", except: true, instead: "record an event, or return an error"},
	{
		pkg: "time", names: []string{"Now", "Since", "Until"},
		allowed: []string{"cmd/", "cli", "world/clock", "campaign", "evidence", "link/frame", "world/origin/session_conn.go", "fleet", "fleet/", "bench/"}, // a net.Conn has its deadlines by the wall; load is in wall time
		instead: "use the clock that was given: runs are in device time",
	},
	{
		pkg: "time", names: []string{"Sleep"},
		allowed: []string{"world/clock", "bench/"},
		instead: "wait on the clock that was given, together with the context",
	},
	{
		pkg: "net", names: []string{"Listen", "ListenPacket", "ListenTCP", "ListenUDP", "ListenUnix", "ListenMulticastUDP"},
		allowed: []string{"cli", "testbed", "link/reserve_other.go", "bench/", "reference/driver_cloud.go", "reference/driver_coap.go"}, // the last are parts under test, which open their own
		instead: "take a net.Listener; the testbed opens them on loopback",
	},
	{pkg: "math/rand", except: true, instead: "use math/rand/v2 with the seed of the run"},
	{
		pkg: "math/rand/v2", names: []string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}, except: true,
		allowed: []string{"cli"}, // draws the seed of a run that was given none
		instead: "take a *rand.Rand: all chance comes from the seed of the run",
	},
}

func (p prohibition) forbids(name string) bool {
	return slices.Contains(p.names, name) != p.except
}

func TestForbiddenCalls(t *testing.T) {
	set, files := house(t)
	for _, f := range files {
		if f.test() {
			continue
		}
		for _, p := range forbidden {
			if within(f.dir, p.allowed...) || slices.Contains(p.allowed, f.name) {
				continue
			}
			for _, use := range uses(f.File, p.pkg) {
				if p.forbids(use.Sel.Name) {
					t.Errorf("%s: %s.%s: %s", set.Position(use.Pos()), p.pkg, use.Sel.Name, p.instead)
				}
			}
		}
	}
}

// uses are the selectors on an imported package.
func uses(f *ast.File, pkg string) []*ast.SelectorExpr {
	name := ""
	for _, spec := range f.Imports {
		if unquote(spec.Path) != pkg {
			continue
		}
		name = path.Base(strings.TrimSuffix(pkg, "/v2"))
		if spec.Name != nil {
			name = spec.Name.Name
		}
	}
	if name == "" {
		return nil
	}
	var found []*ast.SelectorExpr
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name {
				found = append(found, s)
			}
		}
		return true
	})
	return found
}
