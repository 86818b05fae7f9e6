package flash

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

func open(t testing.TB, data []byte) *tree.Node {
	t.Helper()
	limits := tree.Limits{Bytes: 4 << 20, Nodes: 1000, Unguarded: true}
	o, err := tree.Open(context.Background(), "it", io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data))), Formats, limits)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o.Root
}

// listed is every file with its mode, size, checksum and the beginning of its content.
func listed(t testing.TB, root *tree.Node) string {
	t.Helper()
	var b strings.Builder
	for n := range root.All() {
		if n.File == nil {
			fmt.Fprintf(&b, "%s [%s] %s\n", n.Path(), n.Format, n.About)
		} else {
			data, err := n.Read(1 << 30)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %v %d:%d %.40s %.20s", n.File.Mode, n.File.UID, n.File.GID, n.Name, n.File.Target)
			if n.Data != nil {
				fmt.Fprintf(&b, " %d %08x %.20q", len(data), crc32.ChecksumIEEE(data), data)
			}
			b.WriteByte('\n')
		}
		for _, note := range n.Notes {
			fmt.Fprintf(&b, "  ! %s\n", note)
		}
	}
	return b.String()
}

// bounded fails when more was made than may be.
func bounded(t *testing.T, root *tree.Node) {
	t.Helper()
	total, nodes := int64(0), 0
	for n := range root.All() {
		nodes++
		if n.Offset < 0 {
			total += n.Size()
		}
	}
	if total > 4<<20 || nodes > 1010 {
		t.Fatalf("%d bytes and %d nodes were made", total, nodes)
	}
}

// cutShort opens a sample that is cut short at many lengths.
func cutShort(t *testing.T, data []byte) {
	t.Helper()
	for n := 0; n < len(data); n += max(1, len(data)/500) {
		bounded(t, open(t, data[:n]))
	}
}

func has(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%q is not in\n%s", w, got)
		}
	}
}
