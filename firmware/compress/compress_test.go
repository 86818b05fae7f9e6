package compress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// content is what the files in testdata were made of, with the programs that their names tell of.
func content() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "%d: the quick brown fox of line %d jumps over %x\n", i, i*i%97, i*7919)
	}
	return b.String()
}

func opened(t testing.TB, data []byte, limits tree.Limits) *tree.Node {
	t.Helper()
	limits.Unguarded = true
	o, err := tree.Open(context.Background(), "it", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), Formats, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}

func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 18 {
		t.Fatal(files, err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = b
	}
	return all
}

func text(t testing.TB, n *tree.Node) string {
	t.Helper()
	b, err := n.Read(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStreams(t *testing.T) {
	for name, data := range samples(t) {
		t.Run(name, func(t *testing.T) {
			want := content()
			if strings.HasPrefix(name, "two.") {
				want += want
			}
			n := opened(t, data, tree.Limits{})
			if len(n.Children) != 1 || text(t, n.Children[0]) != want || len(n.Children[0].Notes) > 0 || len(n.Notes) > 0 {
				t.Fatalf("%q holds %d things, notes %v", n.Format, len(n.Children), n.Notes)
			}
			// In the midst of other data it is found, and ends where it does. Bytes that count as padding do not follow it.
			n = opened(t, slices.Concat([]byte("before"), data, []byte("Zafter that")), tree.Limits{})
			if len(n.Children) != 3 || n.Children[1].Offset != 6 || n.Children[2].Offset != int64(6+len(data)) || text(t, n.Children[1].Children[0]) != want {
				for _, c := range n.Children {
					t.Errorf("%s at %d, %d bytes", c.Name, c.Offset, c.Size())
				}
			}
		})
	}
}

// What was made before the data break off or are damaged stays, with a note; and no reader fails.
func TestDamagedStreams(t *testing.T) {
	for name, data := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 0; n < len(data); n += 1 + n/12 {
				sound(t, data[:n])
			}
			for i := 0; i < len(data); i += 1 + i/12 {
				changed := bytes.Clone(data)
				changed[i] ^= 1 << (i % 8)
				sound(t, changed)
			}
		})
	}
}

// sound opens data, and fails when a reader does or more comes of them than may.
func sound(t *testing.T, data []byte) {
	t.Helper()
	size := int64(0)
	for n := range opened(t, data, tree.Limits{Bytes: 4 << 20, Nodes: 1000, Depth: 3}).All() {
		if n.Offset < 0 {
			size += n.Size()
		}
		for _, note := range n.Notes {
			if strings.Contains(note.Text, "its reader failed") {
				t.Errorf("%s: %s", n.Path(), note)
			}
		}
	}
	if size > 4<<20 {
		t.Errorf("%d bytes came of it", size)
	}
}

func TestBrokenOff(t *testing.T) {
	all := samples(t)
	for _, name := range []string{"content.xz", "content.gz", "content.lzma"} {
		data := all[name]
		n := opened(t, data[:len(data)-len(data)/8], tree.Limits{})
		if len(n.Children) != 1 || len(n.Children[0].Notes) != 1 || n.Children[0].Size() < 4000 || !strings.HasPrefix(content(), text(t, n.Children[0])) {
			t.Errorf("%s: %d things, %v", name, len(n.Children), n.Notes)
		}
	}
}

func FuzzStreams(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { sound(t, data) })
}
