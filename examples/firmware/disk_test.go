package firmware

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/disk"
)

// What mke2fs puts into its images of every sort is found there.
func TestExt(t *testing.T) {
	needsPeers(t)
	s := newSource(t, 3_000_000)
	s.sparse("usr/lib/sparse", 20_000_000)
	s.must(os.Link(s.path("etc/passwd"), s.path("etc/passwd-")))
	s.must(os.Link(s.path("usr/lib/mixed"), s.path("aaa")))
	all := s.files()
	for name, options := range map[string]string{
		"ext2":          "-t ext2",
		"ext2 1K":       "-t ext2 -b 1024 -r 1",
		"ext2 rev 0":    "-t ext2 -b 1024 -r 0 -O none",
		"ext3":          "-t ext3",
		"ext3 2K":       "-t ext3 -b 2048 -I 128",
		"ext4":          "-t ext4",
		"ext4 1K":       "-t ext4 -b 1024",
		"ext4 64K":      "-t ext4 -b 65536",
		"ext4 32 bit":   "-t ext4 -O ^64bit,^metadata_csum,^flex_bg",
		"ext4 meta_bg":  "-t ext4 -b 1024 -O meta_bg,^resize_inode,^flex_bg -g 1024",
		"ext4 inline":   "-t ext4 -O inline_data -I 512",
		"ext4 sparse2":  "-t ext4 -b 1024 -O sparse_super2,meta_bg,^resize_inode",
		"ext4 bigalloc": "-t ext4 -O bigalloc -C 16384",
		"ext4 indirect": "-t ext4 -O ^extent,^64bit",
	} {
		t.Run(name, func(t *testing.T) {
			file, want := image(t, 0), all
			tool(t, "mke2fs", append(append([]string{"-q", "-F", "-L", "root", "-d", s.root}, strings.Fields(options)...), file, "96M")...)
			lost := map[string]fact{}
			for name, f := range found(t, openedFile(t, file, "ext")) {
				if name != "lost+found" {
					lost[name] = f
				}
			}
			if strings.Contains(options, "inline_data") { // mke2fs 1.47.0 loses the hole at the end
				dump := filepath.Join(t.TempDir(), "dump")
				tool(t, "debugfs", "-R", "dump usr/lib/sparse "+dump, file)
				b, err := os.ReadFile(dump)
				s.must(err)
				want = maps.Clone(want)
				f := want["usr/lib/sparse"]
				f.content = hashed(t, bytes.NewReader(b))
				want["usr/lib/sparse"] = f
			}
			same(t, lost, want, nil)
		})
	}
}

// A hashed folder, a device and a journal that needs recovery: what debugfs and e2fsck make.
func TestExtChanged(t *testing.T) {
	needsPeers(t)
	s := newSource(t, 300_000)
	file := image(t, 0)
	tool(t, "mke2fs", "-q", "-F", "-t", "ext4", "-d", s.root, file, "32M")
	commands := filepath.Join(t.TempDir(), "commands")
	s.must(os.WriteFile(commands, []byte("mknod console c 5 1\nrm etc/none\nset_inode_field /etc/passwd mtime @0x80000000\nset_inode_field /etc/passwd mtime_extra 1\n"), 0o600))
	tool(t, "debugfs", "-w", "-f", commands, file)
	tool(t, "sh", "-c", `e2fsck -fyD "$0" >/dev/null; test $? -le 1`, file)
	got := found(t, openedFile(t, file, "ext"))
	if c := got["console"]; c.mode.String()[:2] != "Dc" {
		t.Errorf("the device: %+v", c)
	}
	want := s.files()
	if p := got["etc/passwd"]; p.modified != -0x80000000+1<<32 {
		t.Errorf("modified at %d", p.modified)
	}
	for _, name := range []string{"console", "lost+found", "etc/passwd"} {
		delete(got, name)
		delete(want, name)
	}
	delete(want, "etc/none")
	for _, name := range []string{"etc"} {
		got[name], want[name] = fact{}, fact{}
	}
	same(t, got, want, nil)
	tool(t, "debugfs", "-w", "-R", "feature needs_recovery", file)
	data, err := os.ReadFile(file)
	s.must(err)
	root := opened(t, data)
	if info, ok := root.Info.(*disk.Ext); !ok || !info.NeedsRecovery || len(root.Notes) != 1 {
		t.Errorf("%+v, notes %v", root.Info, root.Notes)
	}
}

// What genext2fs makes, with its table of devices.
func TestGenext2fs(t *testing.T) {
	needsPeers(t)
	s := newSource(t, 300_000)
	table, file := filepath.Join(t.TempDir(), "table"), image(t, 0)
	s.must(os.WriteFile(table, []byte("/dev d 755 0 0 - - - - -\n/dev/console c 600 3 5 5 1 - - -\n/dev/ttyS b 660 0 6 8 0 0 1 3\n/dev/pipe p 640 0 0 - - - - -\n"), 0o600))
	tool(t, "genext2fs", "-b", "16384", "-B", "1024", "-N", "2000", "-d", s.root, "-D", table, file)
	got := found(t, openedFile(t, file, "ext"))
	for name, kind := range map[string]string{"dev": "drwxr-xr-x", "dev/console": "Dcrw-------", "dev/ttyS2": "Drw-rw----", "dev/pipe": "prw-r-----", "lost+found": ""} {
		if f := got[name]; kind != "" && f.mode.String() != kind {
			t.Errorf("%s is %v", name, f.mode)
		}
		delete(got, name)
	}
	delete(got, "dev/ttyS0")
	delete(got, "dev/ttyS1")
	same(t, got, s.files(), func(f *fact) { f.modified = 0 })
}
