//go:build peers

package firmware

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/disk"
)

// What mke2fs puts into its images of every sort is found there.
func TestExt(t *testing.T) {
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

// What mtools put into the file systems that mkfs.fat makes is found there, and those in the partitions of a disk.
func TestFAT(t *testing.T) {
	t.Setenv("MTOOLS_SKIP_CHECK", "1")
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("TZ", "UTC")
	s := newSource(t, 600_000)
	s.put("ROOT.TXT", 0o644, []byte("short"))
	s.put("lower.txt", 0o644, []byte("lower"))
	s.put("cut", 0o644, s.noise(40_000))
	want := s.files()
	for name, f := range want {
		if f.mode&fs.ModeSymlink != 0 {
			s.must(os.Remove(s.path(name)))
			delete(want, name)
			continue
		}
		f.mode, f.uid, f.gid = f.mode&fs.ModeDir|0o755, 0, 0
		want[name] = f
	}
	lose := func(f *fact) {
		f.modified = f.modified &^ 1
		if f.mode.IsDir() {
			f.modified = 0 // mcopy keeps only that of files
		}
	}
	fats := map[string][]byte{}
	for options, size := range map[string]int64{"-F 12 -s 8": 8 << 20, "-F 16": 16 << 20, "-F 32 -s 1": 64 << 20, "-F 32 -S 4096": 300 << 20, "-F 16 -f 1 -r 64": 16 << 20} {
		t.Run(options, func(t *testing.T) {
			file := image(t, size)
			tool(t, "mkfs.fat", append(strings.Fields(options), "-n", "BOOT", file)...)
			tool(t, "mcopy", "-i", file, s.path("cut"), "::/first")
			names, err := filepath.Glob(s.root + "/*")
			s.must(err)
			tool(t, "mcopy", append(append([]string{"-s", "-m", "-i", file}, names...), "::/")...)
			tool(t, "mdel", "-i", file, "::/first")
			tool(t, "mcopy", "-m", "-i", file, s.path("usr/lib/text"), "::/again") // where that was, in pieces
			got := found(t, openedFile(t, file, "fat"))
			if got["again"].content != want["usr/lib/text"].content {
				t.Errorf("the file in pieces: %+v", got["again"])
			}
			delete(got, "again")
			same(t, got, want, lose)
			fats[options], err = os.ReadFile(file)
			s.must(err)
		})
	}
	root := image(t, 0)
	tool(t, "mke2fs", "-q", "-F", "-t", "ext4", "-d", s.root, root, "24M")
	ext, err := os.ReadFile(root)
	s.must(err)
	for name, script := range map[string]string{
		"mbr": "label: dos\nstart=2048, size=32768, type=c\nstart=34816, type=5\nstart=36864, size=49152, type=83\nstart=88064, size=2048, type=83\n",
		"gpt": "label: gpt\nstart=2048, size=32768, type=uefi, name=boot\nstart=36864, size=49152, type=linux, name=root\nstart=88064, size=2048, name=spare\n",
	} {
		t.Run(name, func(t *testing.T) {
			file, table := image(t, 64<<20), filepath.Join(t.TempDir(), "table")
			s.must(os.WriteFile(table, []byte(script), 0o600))
			tool(t, "sh", "-c", `sfdisk -q "$0" <"$1"`, file, table)
			data, err := os.ReadFile(file)
			s.must(err)
			copy(data[2048*512:], fats["-F 16"])
			copy(data[36864*512:], ext)
			disk := opened(t, data)
			if disk.Format != name || len(disk.Notes) > 0 {
				t.Fatalf("%s %s %v", disk.Format, disk.About, disk.Notes)
			}
			seen := ""
			for _, part := range disk.Children {
				seen += fmt.Sprintf("%s %s %d\n", part.Name, part.Format, part.Offset/512)
				if part.Format == "ext" {
					got := found(t, part)
					delete(got, "lost+found")
					same(t, got, s.files(), nil)
				}
				if part.Format == "fat" {
					got := found(t, part)
					delete(got, "again")
					same(t, got, want, lose)
				}
			}
			for _, want := range map[string][]string{
				"mbr": {"unpartitioned  1\npartition 1 fat 2048\n", "partition 5 ext 36864\n", "partition 6  88064\n"},
				"gpt": {"partition 1 boot fat 2048\n", "partition 2 root ext 36864\n", "partition 3 spare  88064\n"},
			}[name] {
				if !strings.Contains(seen, want) {
					t.Errorf("%q is not in\n%s", want, seen)
				}
			}
		})
	}
}
