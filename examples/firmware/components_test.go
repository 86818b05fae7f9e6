//go:build peers

package firmware

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/artefact/components"
)

// debian are programs of Debian that hold their version, with the package that they are of and what they are called.
var debian = []struct{ program, pkg, product string }{
	{"busybox", "busybox-static", "busybox"},
	{"dnsmasq", "dnsmasq-base", "dnsmasq"},
	{"mosquitto_pub", "mosquitto-clients", ""}, // its library has the version
}

// The version strings of real programs say what dpkg says, and with its database in the image each is told once.
func TestComponentsOfDebian(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	dir := t.TempDir()
	want := map[string]string{}
	var status []byte
	put := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range debian {
		path, err := exec.LookPath(p.program)
		if err != nil {
			t.Fatalf("%v: scripts/peers installs it", err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put("usr/bin/"+p.program, data)
		about := tool(t, "dpkg-query", "-s", p.pkg)
		status = append(append(status, about...), '\n')
		if p.product != "" {
			all := components.Files("var/lib/dpkg/status", about)
			if len(all) != 1 {
				t.Fatalf("%s: %+v", about, all)
			}
			want[p.product] = all[0].Upstream
		}
	}
	examine := func() *artefact.Facts {
		tar := tool(t, "tar", "-C", dir, "-c", ".")
		f, err := artefact.Examine(context.Background(), artefact.Source{File: "image.tar", Data: io.NewSectionReader(bytes.NewReader(tar), 0, int64(len(tar)))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	bare := examine().Components
	if len(bare) != len(want) {
		t.Errorf("%d components by version strings, want %d: %+v", len(bare), len(want), bare)
	}
	for _, c := range bare {
		if c.Source != components.Banner || want[c.Product] != c.Upstream {
			t.Errorf("%s %s by %s, want version %q", c.Product, c.Upstream, c.Source, want[c.Product])
		}
	}
	put("var/lib/dpkg/status", status)
	put("etc/os-release", []byte("ID=debian\nVERSION_ID=\"12\"\n"))
	var told []string
	for _, c := range examine().Components {
		if c.Source == components.Banner || c.Source == components.DPKG && (c.Distro != "debian" || c.DistroVersion != "12") {
			t.Errorf("with the database: %+v", c)
		}
		told = append(told, c.Name)
	}
	if got := strings.Join(told, " "); got != "busybox-static debian dnsmasq-base mosquitto-clients" {
		t.Errorf("told: %s", got)
	}
}
