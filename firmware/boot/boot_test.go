package boot

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

func open(t testing.TB, data []byte) *tree.Node {
	t.Helper()
	o, err := tree.Open(context.Background(), "it", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), Formats, tree.Limits{Bytes: 1 << 20, Nodes: 1000, Unguarded: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}

// samples are small images that the tools of Debian made, or, of routers, a script by the headers of OpenWrt's tools.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/samples/*")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d samples: %v", len(files), err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = data
	}
	return all
}

// What each sample is and how many parts it has, alone and in the midst of other data.
func TestSamples(t *testing.T) {
	for name, want := range map[string]struct {
		format string
		parts  int
	}{
		"fit": {"fdt", 1}, "fit-external": {"fdt", 1}, "fdt": {"fdt", 0}, "uimage": {"uimage", 2}, "uboot-env": {"uboot-env", 0},
		"uboot-env-redundant": {"uboot-env", 0}, "uboot-default-env": {"uboot-default-env", 0}, "android-sparse": {"android-sparse", 1},
		"android-boot": {"android-boot", 2}, "trx": {"trx", 2}, "chk": {"chk", 2},
	} {
		data := samples(t)[name]
		root := open(t, data)
		if root.Format != want.format || len(root.Children) != want.parts || len(root.Notes) > 0 {
			t.Errorf("%s is %q with %d parts, notes %v", name, root.Format, len(root.Children), root.Notes)
		}
		within := open(t, append(append([]byte("--- before ---"), data...), "--- after ---"...))
		if len(within.Children) < 2 || within.Children[1].Format != want.format || within.Children[1].Offset != 14 {
			t.Errorf("%s is not found in the midst: %v", name, within.Children)
		}
	}
}

// However a sample is cut short or spoilt, what is told of it stays within bounds.
func TestSpoilt(t *testing.T) {
	for _, data := range samples(t) {
		for n := 0; n < len(data); n += 1 + n/50 {
			bounded(t, data[:n])
			for _, to := range []byte{0, 0x7f, 0xff} {
				spoilt := bytes.Clone(data)
				spoilt[n] = to
				bounded(t, spoilt)
			}
		}
	}
}

func bounded(t testing.TB, data []byte) {
	t.Helper()
	made := int64(0)
	for n := range open(t, data).All() {
		if n.Offset < 0 {
			made += n.Size()
		}
		for _, note := range n.Notes {
			if strings.Contains(note.Text, "its reader failed") {
				t.Fatalf("%s", note)
			}
		}
	}
	if made > 1<<20 {
		t.Fatalf("%d bytes were made", made)
	}
}

func FuzzBoot(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, data) })
}
