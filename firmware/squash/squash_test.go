package squash

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

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

// listing is what ls would show of what was opened.
func listing(t testing.TB, n *tree.Node) string {
	t.Helper()
	var b strings.Builder
	for _, c := range n.Children {
		fmt.Fprintf(&b, "%s %v %d:%d", c.Name, c.File.Mode, c.File.UID, c.File.GID)
		if c.File.Target != "" {
			fmt.Fprintf(&b, " -> %s", c.File.Target)
		}
		if c.Data != nil {
			fmt.Fprintf(&b, " %d", c.Size())
		}
		for _, note := range c.Notes {
			fmt.Fprintf(&b, " (%s)", note)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

const sampleListing = `bin drwxr-xr-x 0:0
bin/busybox urwxr-xr-x 0:0 18500
bin/sh Lrwxrwxrwx 0:0 -> busybox
bin/vi u?rwxr-xr-x 0:0 -> bin/busybox
dev drwxr-xr-x 0:0
dev/console Dcrw------- 0:0
dev/pipe prw-r--r-- 0:0
dev/sda Drw-rw---- 0:0
dev/socket Srw-r--r-- 0:0
empty dtrwxrwxrwx 0:0
etc drwxr-xr-x 0:0
etc/none -rw-r--r-- 0:0 0
etc/passwd -rw-r--r-- 1000:1000 22
etc/sparse -rw------- 1000:0 12002
etc/whole -rw-r--r-- 0:0 8192
`

func TestOpen(t *testing.T) {
	for _, major := range []int{3, 4} {
		for _, big := range []bool{false, true} {
			for _, extended := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d big=%v extended=%v", major, big, extended), func(t *testing.T) {
					k := newMaker(major, big)
					k.extended = extended
					files := sample(t)
					n := opened(t, k.image(files...), tree.Limits{})
					if got := listing(t, n); got != sampleListing {
						t.Errorf("got\n%s", got)
					}
					if len(n.Notes) > 0 {
						t.Errorf("notes: %v", n.Notes)
					}
					for _, f := range files {
						if f.kind == kindFile && f.linked == "" {
							same(t, n, f)
						}
					}
					info, ok := n.Info.(*FileSystem)
					if !ok || info.Major != major || info.BigEndian != big || info.Compression != "gzip" || info.BlockSize != 4096 ||
						!info.Made.Equal(time.Unix(1700000000, 0)) {
						t.Errorf("it says of itself: %+v", n.Info)
					}
				})
			}
		}
	}
}

func same(t testing.TB, n *tree.Node, f made) {
	t.Helper()
	for _, c := range n.Children {
		if c.Name != f.name {
			continue
		}
		if got, err := c.Read(1 << 30); err != nil || string(got) != f.content {
			t.Errorf("%s has %d bytes that are not those of before (%v)", f.name, len(got), err)
		}
		if !c.File.Modified.Equal(time.Unix(1700000000, 0)) {
			t.Errorf("%s is of %v", f.name, c.File.Modified)
		}
		return
	}
	t.Errorf("%s is not there", f.name)
}

var update = flag.Bool("update", false, "write the images in testdata anew")

// The images of version 3 are those that examples/firmware has unsquashfs and 7-Zip read.
func TestTestdata(t *testing.T) {
	for name, c := range map[string]struct {
		big   bool
		magic string // of a vendor's, whose LZMA it has
	}{"3-little": {false, ""}, "3-big": {true, ""}, "lzma-little": {false, "shsq"}, "lzma-big": {true, "qshs"}} {
		k := newMaker(3, c.big)
		if c.magic != "" {
			k.pack = sometimesLZMA
		}
		files := append(sample(t), made{name: "many", kind: kindFolder, perm: 0o755})
		for i := range 600 {
			files = append(files, made{name: fmt.Sprintf("many/file-%03d", i), kind: kindFile, perm: 0o644, content: strings.Repeat("x", i%7*i)})
		}
		image := k.image(files...)
		copy(image, c.magic)
		file := filepath.Join("testdata", name+".squashfs")
		if *update {
			if err := os.WriteFile(file, image, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		stored, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(stored, image) {
			t.Errorf("%s is not what is made today (%v)\nhint: go test ./firmware/squash -update", file, err)
		}
		n := opened(t, stored, tree.Limits{})
		for _, f := range files {
			if f.kind == kindFile && f.linked == "" {
				same(t, n, f)
			}
		}
	}
}
