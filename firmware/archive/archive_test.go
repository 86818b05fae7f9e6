package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
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

// listed is every file with its mode and content.
func listed(t testing.TB, root *tree.Node) string {
	t.Helper()
	var b strings.Builder
	for n := range root.All() {
		if n.File == nil {
			fmt.Fprintf(&b, "%s [%s] %s\n", n.Path(), n.Format, n.About)
		} else {
			data, err := n.Read(100)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "  %v %s%s %q\n", n.File.Mode, n.Name, n.File.Target, data)
		}
		for _, note := range n.Notes {
			fmt.Fprintf(&b, "  ! %s\n", note)
		}
	}
	return b.String()
}

func sampleZIP() []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	stored, _ := w.CreateHeader(&zip.FileHeader{Name: "a/stored", Method: zip.Store})
	fmt.Fprint(stored, "hello")
	packed, _ := w.Create("../packed")
	fmt.Fprint(packed, strings.Repeat("x", 50))
	w.Close()
	return b.Bytes()
}

func sampleTar() []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: "bin/su", Mode: 0o4755, Size: 5, Typeflag: tar.TypeReg})
	fmt.Fprint(w, "hello")
	_ = w.WriteHeader(&tar.Header{Name: "sh", Linkname: "/bin/busybox", Mode: 0o777, Typeflag: tar.TypeSymlink})
	w.Close()
	return b.Bytes()
}

// sparseTar holds a file of which GNU tar stores five of twelve bytes, and another behind it.
func sparseTar() []byte {
	b := sampleTar()
	head := b[:512]
	copy(head, "holes\x00")
	head[156] = 'S'
	copy(head[257:], "ustar  \x00")
	copy(head[386:], "00000000003\x0000000000005\x00") // at 3, five bytes
	copy(head[483:], "00000000014\x00")                // twelve in all
	copy(head[148:], "        ")
	sum := 0
	for _, c := range head {
		sum += int(c)
	}
	copy(head[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

func sampleCPIO() []byte {
	var b bytes.Buffer
	put := func(name string, mode uint32, data string) {
		fmt.Fprintf(&b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00", 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name)
		b.Write(make([]byte, -b.Len()&3))
		b.WriteString(data)
		b.Write(make([]byte, -b.Len()&3))
	}
	put("etc", 0o40755, "")
	put("etc/passwd", 0o100600, "root")
	put("sh", 0o120777, "busybox")
	put(cpioEnd, 0, "")
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"zip": {sampleZIP(), "it [zip] 2 entries\n  ! a file is called \"../packed\", which leads out of it\n  -rw-r--r-- a/stored \"hello\"\n  -rw-r--r-- packed \"" + strings.Repeat("x", 50) + "\"\n"},
		"zip in the midst": {
			append(append([]byte("before "), sampleZIP()...), " after"...),
			"it [] \nit: data at 0x0 [] \nit: zip at 0x7 [zip] 2 entries\n  ! a file is called \"../packed\", which leads out of it\n  -rw-r--r-- a/stored \"hello\"\n  -rw-r--r-- packed \"" +
				strings.Repeat("x", 50) + "\"\nit: data at 0x105 [] \n",
		},
		"tar":            {sampleTar(), "it [tar] 2 entries\n  urwxr-xr-x bin/su \"hello\"\n  Lrwxrwxrwx sh/bin/busybox \"\"\n"},
		"tar with holes": {sparseTar(), "it [tar] 2 entries\n  urwxr-xr-x holes \"\\x00\\x00\\x00hello\\x00\\x00\\x00\\x00\"\n  Lrwxrwxrwx sh/bin/busybox \"\"\n"},
		"tar cut short":  {sampleTar()[:514], "it [tar] \n  ! at 0x200: bin/su is said to be 5 bytes long, and 2 are there\n  ! at 0x202: unexpected EOF\n  urwxr-xr-x bin/su \"he\"\n"},
		"cpio":           {sampleCPIO(), "it [cpio] newc, 3 entries\n  drwxr-xr-x etc \"\"\n  -rw------- etc/passwd \"root\"\n  Lrwxrwxrwx shbusybox \"\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := listed(t, open(t, c.data)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// However an archive is cut short, what is left is told without harm.
func TestCutShort(t *testing.T) {
	for name, data := range map[string][]byte{"zip": sampleZIP(), "tar": sampleTar(), "cpio": sampleCPIO()} {
		for n := range len(data) {
			for node := range open(t, data[:n]).All() {
				if node.Data != nil && node.Size() > int64(len(data)) {
					t.Fatalf("%s of %d bytes: %s has %d", name, n, node.Path(), node.Size())
				}
			}
		}
	}
}

func FuzzArchives(f *testing.F) {
	f.Add(sampleZIP())
	f.Add(sampleTar())
	f.Add(sparseTar())
	f.Add(sampleCPIO())
	f.Fuzz(func(t *testing.T, data []byte) {
		total := int64(0)
		for n := range open(t, data).All() {
			if n.Offset < 0 {
				total += n.Size()
			}
		}
		if total > 1<<20 {
			t.Fatalf("%d bytes were made", total)
		}
	})
}
