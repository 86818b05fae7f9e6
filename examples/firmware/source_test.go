//go:build peers

package firmware

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// source is a folder of several hundred files of which images are made.
type source struct {
	t      testing.TB
	root   string
	chance *rand.Rand
}

// newSource makes one. Its largest file has big bytes.
func newSource(t testing.TB, big int) *source {
	t.Helper()
	s := &source{t, t.TempDir(), rand.New(rand.NewPCG(3, 4))}
	s.put("bin/busybox", 0o4755, s.noise(big/2))
	s.put("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n"))
	s.put("etc/shadow", 0o400, []byte("root:*:19000:0:99999:7:::\n"))
	s.put("etc/none", 0o644, nil)
	s.put("etc/Grüße aus 東京.txt", 0o664, []byte("Grüße"))
	s.put("etc/"+strings.Repeat("n", 200), 0o600, []byte("a long name"))
	s.put("usr/lib/text", 0o2755, bytes.Repeat([]byte("the same line again and again\n"), big/30))
	s.put("usr/lib/mixed", 0o644, slices.Concat(make([]byte, 70_000), s.noise(5000), bytes.Repeat([]byte("abcdabcc"), 9000), s.noise(123)))
	for n := range 4 {
		s.put(fmt.Sprintf("usr/lib/edge%d", n), 0o644, s.noise(4095+n))
	}
	for i := range 400 {
		s.put(fmt.Sprintf("many/file-with-quite-a-long-name-%03d", i), 0o644, bytes.Repeat([]byte{byte('a' + i%26)}, i*i%5000))
	}
	for i := range 20 {
		s.put(strings.Repeat("deep/", i+1)+"file", 0o640, s.noise(i))
	}
	if err := os.Mkdir(s.path("tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.must(os.Chmod(s.path("tmp"), 0o777|fs.ModeSticky))
	s.must(os.Symlink("busybox", s.path("bin/sh")))
	for _, n := range []int{59, 60, 61, 150, 900} {
		s.must(os.Symlink(strings.Repeat("x/", n)[:n], s.path(fmt.Sprintf("etc/link%d", n))))
	}
	for name := range s.files() {
		if info, err := os.Lstat(s.path(name)); err == nil && info.Mode()&fs.ModeSymlink == 0 {
			s.must(os.Chtimes(s.path(name), time.Time{}, time.Unix(1_500_000_000+int64(len(name)), 0)))
		}
	}
	return s
}

func (s *source) path(name string) string { return filepath.Join(s.root, filepath.FromSlash(name)) }

func (s *source) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// put writes a file with a mode as chmod(1) takes it.
func (s *source) put(name string, mode uint32, content []byte) {
	s.t.Helper()
	s.must(os.MkdirAll(filepath.Dir(s.path(name)), 0o755))
	s.must(os.WriteFile(s.path(name), content, 0o600))
	s.must(os.Chmod(s.path(name), tree.UnixMode(mode)))
}

func (s *source) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.chance.Uint32())
	}
	return b
}

// sparse adds a file with holes in its beginning, middle and end.
func (s *source) sparse(name string, size int64) {
	s.t.Helper()
	f, err := os.Create(s.path(name))
	s.must(err)
	s.must(f.Truncate(size))
	for _, at := range []int64{100_000, size / 2, size - 600_000} {
		_, err = f.WriteAt(s.noise(9000), at)
		s.must(err)
	}
	s.must(f.Close())
}

// fact is what is known of a file.
type fact struct {
	mode     fs.FileMode
	uid, gid int
	modified int64
	target   string
	content  string // size and hash
}

// files are those of the folder by their path.
func (s *source) files() map[string]fact {
	s.t.Helper()
	files := map[string]fact{}
	s.must(filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == s.root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(s.root, path)
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		f := fact{mode: info.Mode(), uid: int(st.Uid), gid: int(st.Gid), modified: info.ModTime().Unix()}
		switch {
		case f.mode&fs.ModeSymlink != 0:
			f.target, err = os.Readlink(path)
		case f.mode.IsRegular():
			var in *os.File
			if in, err = os.Open(path); err == nil {
				f.content = hashed(s.t, in)
				in.Close()
			}
		}
		files[filepath.ToSlash(name)] = f
		return err
	}))
	return files
}

// hashed tells contents apart.
func hashed(t testing.TB, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d bytes, %x", n, h.Sum(nil)[:8])
}

// found are the files of an opened file system; those that are other names of one have what that has.
func found(t testing.TB, root *tree.Node) map[string]fact {
	t.Helper()
	files := map[string]fact{}
	for _, n := range root.Children {
		if len(n.Notes) > 0 {
			t.Errorf("%s: %v", n.Name, n.Notes)
		}
		f := fact{mode: n.File.Mode, uid: n.File.UID, gid: n.File.GID, modified: n.File.Modified.Unix(), target: n.File.Target}
		if f.mode&fs.ModeIrregular != 0 {
			f = files[n.File.Target]
		} else if f.mode.IsRegular() {
			f.content = hashed(t, io.NewSectionReader(n.Data, 0, n.Data.Size()))
		}
		if _, twice := files[n.Name]; twice {
			t.Errorf("%s is there twice", n.Name)
		}
		files[n.Name] = f
	}
	return files
}

// same holds what is found in an image against what it was made of. lose takes from a fact what the file system cannot keep.
func same(t testing.TB, got, want map[string]fact, lose func(*fact)) {
	t.Helper()
	wrong := 0
	for _, name := range slices.Sorted(maps.Keys(want)) {
		g, there := got[name]
		w := want[name]
		if lose != nil {
			lose(&g)
			lose(&w)
		}
		if (!there || g != w) && wrong < 10 {
			wrong++
			t.Errorf("%.60s: there: %v\ngot  %+v\nwant %+v", name, there, g, w)
		}
	}
	for name := range got {
		if _, there := want[name]; !there {
			t.Errorf("%s is in the image only", name)
		}
	}
	if len(want) < 100 {
		t.Errorf("only %d files were compared", len(want))
	}
}

// image is a file of so many bytes that are all zero, or none when it is only a name.
func image(t testing.TB, size int64) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image")
	if size > 0 {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(name, size); err != nil {
			t.Fatal(err)
		}
	}
	return name
}

// openedFile is what is found in a file, which must be of a format, without any notes.
func openedFile(t testing.TB, name, format string) *tree.Node {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	root := opened(t, data)
	if root.Format != format || len(root.Notes) > 0 {
		t.Fatalf("it is %q, %s, with notes %v", root.Format, root.About, root.Notes)
	}
	return root
}
