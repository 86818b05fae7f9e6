//go:build peers

// Package firmware makes images with the real tools, opens them, and holds what is found against what the real tools unpack.
package firmware

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/firmware"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tool runs a program, which must not fail, and gives what it printed.
func tool(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	var out, failed bytes.Buffer
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	c.Stdout, c.Stderr = &out, &failed
	if err := c.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out.Bytes(), failed.Bytes())
	}
	return out.Bytes()
}

// node runs a script of JavaScript, a module, with the packages of package.json, and gives what it printed.
func node(t testing.TB, script string, args ...string) []byte {
	t.Helper()
	return tool(t, "node", append([]string{"--input-type=module", "--eval", script, "--"}, args...)...)
}

// ofNPM is the path of a file of a package of npm that scripts/peers unpacks.
func ofNPM(name string) string { return "../../.peers/images/npm/" + name }

// makers is the path of the program of examples/makers.
const makers = "../../.peers/makers"

// stored is the path of a file that holds data.
func stored(t testing.TB, name string, data []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// refused runs a program that must fail.
func refused(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err == nil {
		t.Errorf("%s %q is content: %s", name, args, out)
	}
}

// opened is what is found in data.
func opened(t testing.TB, data []byte) *tree.Node {
	t.Helper()
	o, err := firmware.Open(context.Background(), "image", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), tree.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}
