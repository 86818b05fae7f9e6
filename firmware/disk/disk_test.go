package disk

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// sample is a small image of testdata, unpacked.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".img.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

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

// listed is every file with its mode, size and checksum.
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
			fmt.Fprintf(&b, "  %v %.40s %.20s %d %08x %d\n", n.File.Mode, n.Name, n.File.Target, len(data), crc32.ChecksumIEEE(data), n.File.Modified.Unix())
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

// samples are small ones of all sorts.
func samples(t testing.TB) [][]byte {
	t.Helper()
	return [][]byte{sample(t, "ext2"), sample(t, "ext4"), sample(t, "fat12"), sampleFAT32(), sampleMBR(), sampleGPT()}
}

// However a disk is cut short, what is left is told without harm.
func TestCutShort(t *testing.T) {
	for _, data := range samples(t) {
		for n := 0; n < len(data); n += 509 {
			bounded(t, open(t, data[:n]))
		}
	}
}

func FuzzDisk(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { bounded(t, open(t, data)) })
}
