//go:build peers

package firmware

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/flash"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// devices is a table of devices for the tools that make images of flash, and deviceModes what comes of it.
const devices = "/dev d 755 0 0 - - - - -\n/dev/console c 600 3 5 5 1 - - -\n/dev/ttyS b 660 0 6 8 0 0 1 2\n/dev/pipe p 640 0 0 - - - - -\n"

var deviceModes = map[string]string{"dev": "drwxr-xr-x", "dev/console": "Dcrw-------", "dev/ttyS0": "Drw-rw----", "dev/ttyS1": "Drw-rw----", "dev/pipe": "prw-r-----"}

// deviceTable writes the table.
func deviceTable(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "devices")
	if err := os.WriteFile(name, []byte(devices), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// sameDevices takes the devices from what was found, after it has compared them.
func sameDevices(t *testing.T, got map[string]fact) {
	t.Helper()
	for name, want := range deviceModes {
		if mode := got[name].mode.String(); mode != want {
			t.Errorf("%s is %s, not %s", name, mode, want)
		}
		delete(got, name)
	}
	if len(got) == 0 {
		t.Error("nothing else was found")
	}
}

// cutLinks makes the targets of links as short as a tool makes them.
func cutLinks(files map[string]fact, most int) {
	for name, f := range files {
		f.target = f.target[:min(most, len(f.target))]
		files[name] = f
	}
}

// What mkfs.jffs2 puts into its images of every sort is found there.
func TestJFFS2(t *testing.T) {
	s := newSource(t, 2_000_000)
	s.must(os.Link(s.path("etc/passwd"), s.path("etc/passwd-")))
	want := s.files()
	cutLinks(want, 254)
	for _, options := range []string{
		"-l", "-b", "-l -m none", "-b -x zlib -x lzo", "-l -x zlib -X lzo", "-b -x zlib -x rtime -X lzo", "-b -x rtime -x lzo", "-l -s 16384 -e 128", "-l -n -p", "-l -e 256 -p16777216", "-b -m size",
	} {
		t.Run(options, func(t *testing.T) {
			file := image(t, 0)
			tool(t, "mkfs.jffs2", append([]string{"-r", s.root, "-o", file, "-D", deviceTable(t)}, strings.Fields(options)...)...)
			got := found(t, openedFile(t, file, "jffs2"))
			sameDevices(t, got)
			same(t, got, want, nil)
		})
	}
}

// With a summary of each block, as sumtool adds it; and two file systems side by side are two.
func TestJFFS2Summed(t *testing.T) {
	s, other := newSource(t, 300_000), newSource(t, 200_000)
	other.must(os.RemoveAll(other.path("many/file-with-quite-a-long-name-100")))
	other.put("etc/passwd", 0o600, []byte("another"))
	s.must(os.Remove(s.path("etc/link900"))) // mkfs.jffs2 cuts it short
	s.must(os.Remove(other.path("etc/link900")))
	both := []byte{}
	for _, s := range []*source{s, other} {
		plain, summed := image(t, 0), image(t, 0)
		tool(t, "mkfs.jffs2", "-l", "-e", "64", "-r", s.root, "-o", plain)
		tool(t, "sumtool", "-l", "-e", "64", "-i", plain, "-o", summed, "-p")
		same(t, found(t, openedFile(t, summed, "jffs2")), s.files(), nil)
		b, err := os.ReadFile(summed)
		s.must(err)
		both = append(both, b...)
		both = append(both, strings.Repeat("\xff", 3*65536-len(b)&65535)...)
	}
	root := opened(t, both)
	if len(root.Children) < 2 || root.Children[0].Format != "jffs2" || root.Children[1].Format != "jffs2" {
		t.Fatalf("there are %d parts", len(root.Children))
	}
	same(t, found(t, root.Children[0]), s.files(), nil)
	same(t, found(t, root.Children[1]), other.files(), nil)
}

// What mkfs.ubifs puts into its images of every sort is found there, with UBI around them and without.
func TestUBIFS(t *testing.T) {
	s := newSource(t, 2_000_000)
	s.sparse("usr/lib/sparse", 20_000_000)
	s.must(os.Link(s.path("etc/passwd"), s.path("etc/passwd-")))
	want := s.files()
	for _, c := range []struct{ volume, chip string }{
		{"-m 2048 -e 126976 -c 500", "-m 2048 -p 128KiB"},
		{"-m 2048 -e 129024 -c 500 -x zlib", "-m 2048 -p 128KiB -s 512"},
		{"-m 1 -e 65408 -c 500 -x none", "-m 1 -p 64KiB"},
		{"-m 4096 -e 253952 -c 900 -x zstd -f 16", "-m 4096 -p 256KiB -Q 77"},
		{"-m 512 -e 15872 -c 1800 -x favor_lzo -f 3 -l 10 -p 2", "-m 512 -p 16KiB -s 256"},
	} {
		t.Run(c.volume, func(t *testing.T) {
			volume, chip := image(t, 0), image(t, 0)
			tool(t, "mkfs.ubifs", append(strings.Fields(c.volume), "-r", s.root, "-D", deviceTable(t), "-o", volume)...)
			check := func(name string, n *tree.Node) {
				if n.Format != "ubifs" || len(n.Notes) > 0 {
					t.Fatalf("%s: it is %q, with notes %v", name, n.Format, n.Notes)
				}
				got := found(t, n)
				sameDevices(t, got)
				same(t, got, want, nil)
			}
			check("alone", openedFile(t, volume, "ubifs"))
			config, kernel := filepath.Join(t.TempDir(), "config"), image(t, 300_000)
			text := "[a]\nmode=ubi\nimage=" + kernel + "\nvol_id=0\nvol_type=static\nvol_name=kernel\n" +
				"[b]\nmode=ubi\nimage=" + volume + "\nvol_id=1\nvol_size=400MiB\nvol_type=dynamic\nvol_name=rootfs\nvol_flags=autoresize\n" +
				"[c]\nmode=ubi\nvol_id=5\nvol_size=1MiB\nvol_type=dynamic\nvol_name=data\n"
			s.must(os.WriteFile(config, []byte(text), 0o600))
			tool(t, "ubinize", append(strings.Fields(c.chip), "-o", chip, config)...)
			root := openedFile(t, chip, "ubi")
			info := root.Info.(*flash.UBI)
			if len(root.Children) != 2 || root.Children[0].Name != "volume kernel" || root.Children[0].Size() != 300_000 || root.Children[1].Name != "volume rootfs" {
				t.Fatalf("%s: %+v", root.About, info)
			}
			check("in UBI", root.Children[1])
		})
	}
}

// What mkfs.cramfs puts into its images is found there, and when cramfsswap has swapped their bytes too.
func TestCramfs(t *testing.T) {
	s := newSource(t, 900_000)
	want := s.files()
	lose := func(f *fact) { f.modified = 0 }
	for _, options := range []string{"-N little", "-N big", "-N little -p", "-N big -z -n name", "-N little -z -p"} {
		t.Run(options, func(t *testing.T) {
			file := image(t, 0)
			tool(t, "mkfs.cramfs", append(strings.Fields(options), s.root, file)...)
			same(t, found(t, openedFile(t, file, "cramfs")), want, lose)
			if strings.Contains(options, "-p") || strings.Contains(options, "-z") {
				return // cramfsswap knows neither padding nor holes
			}
			swapped := image(t, 0)
			tool(t, "cramfsswap", file, swapped)
			same(t, found(t, openedFile(t, swapped, "cramfs")), want, lose)
		})
	}
}

// What genromfs puts into its images is found there.
func TestROMFS(t *testing.T) {
	s := newSource(t, 900_000)
	s.must(os.Link(s.path("etc/passwd"), s.path("etc/passwd-")))
	for _, options := range []string{"", "-a 1024 -V name"} {
		file := image(t, 0)
		tool(t, "genromfs", append(strings.Fields(options), "-d", s.root, "-f", file)...)
		same(t, found(t, openedFile(t, file, "romfs")), s.files(), func(f *fact) {
			f.modified, f.uid, f.gid = 0, 0, 0
			switch {
			case f.mode&fs.ModeSymlink != 0:
			case f.mode.IsDir(), f.mode&0o100 != 0:
				f.mode = f.mode&fs.ModeDir | 0o755
			default:
				f.mode = 0o644
			}
		})
	}
}
