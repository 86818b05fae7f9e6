//go:build peers

package firmware

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/compress"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Every image that mksquashfs makes of a folder with all sorts of files holds what unsquashfs says it holds.
func TestSquashfs(t *testing.T) {
	folder := manyFiles(t)
	for _, options := range []string{
		"-comp gzip", "-comp gzip -b 4096", "-comp gzip -noI -noD -noF -no-fragments", "-comp gzip -always-use-fragments -no-duplicates",
		"-comp xz", "-comp xz -b 1M -Xbcj x86,arm,armthumb,powerpc,sparc,ia64", "-comp xz -b 64K -Xdict-size 50%",
		"-comp lzma", "-comp lzma -b 1M", "-comp lzo", "-comp lzo -Xalgorithm lzo1x_1 -b 256K", "-comp lzo -Xalgorithm lzo1x_1_15", "-comp lz4", "-comp lz4 -Xhc",
		"-comp zstd", "-comp zstd -Xcompression-level 22 -b 1M", "-comp zstd -Xcompression-level 1 -b 8K",
	} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			image := filepath.Join(t.TempDir(), "image")
			args := append([]string{
				folder, image, "-quiet", "-no-progress", "-processors", "1", "-p", "dev/console c 600 0 5 5 1", "-p", "dev/sda b 660 0 6 8 0", "-p", "dev/pipe i 644 7 8 f",
				"-p", "dev/socket i 600 0 0 s", "-p", "etc/passwd m 640 1000 42",
			}, strings.Fields(options)...)
			tool(t, "mksquashfs", args...)
			sameAsUnsquashfs(t, image)
		})
	}
}

// The images of version 3, for which no program that makes them is left, are read by unsquashfs too.
func TestSquashfs3(t *testing.T) {
	images, err := filepath.Glob("../../firmware/squash/testdata/3-*.squashfs")
	if err != nil || len(images) != 2 {
		t.Fatal(images, err)
	}
	for _, image := range images {
		sameAsUnsquashfs(t, image)
	}
}

// With the LZMA of vendors, which unsquashfs does not read, they hold what 7-Zip makes of them.
func TestSquashfsAs7Zip(t *testing.T) {
	t.Parallel()
	images, err := filepath.Glob("../../firmware/squash/testdata/*.squashfs")
	if err != nil || len(images) != 4 {
		t.Fatal(images, err)
	}
	for _, image := range images {
		folder := t.TempDir()
		tool(t, "7z", "x", "-y", "-o"+folder, image)
		root := opened(t, read(t, image))
		if root.Format != "squashfs" || len(root.Notes) > 0 {
			t.Errorf("%s is %q, with notes %v", image, root.Format, root.Notes)
		}
		same := 0
		for _, n := range root.Children {
			if !n.File.Mode.IsRegular() {
				continue
			}
			want := read(t, filepath.Join(folder, n.Name))
			if got, err := n.Read(1 << 30); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s is %d bytes long, and 7-Zip has %d, %v", image, n.Name, len(got), len(want), err)
			}
			same++
		}
		found := 0
		if err := filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				found++
			}
			return err
		}); err != nil || found < same || same < 600 {
			t.Errorf("%s: %d files, and 7-Zip has %d, %v", image, same, found, err)
		}
	}
}

// LZMA without a header, as other vendors put it into blocks, is what xz makes without one.
func TestLZMAWithoutHeader(t *testing.T) {
	t.Parallel()
	content := mixture(t)[:100_000]
	file := stored(t, "content", content)
	for _, b := range [][3]uint{{3, 0, 2}, {0, 0, 0}, {1, 2, 2}, {2, 1, 3}, {4, 0, 4}, {0, 4, 0}} {
		data := tool(t, "xz", "-c", "--format=raw", fmt.Sprintf("--lzma1=lc=%d,lp=%d,pb=%d", b[0], b[1], b[2]), file)
		got, err := compress.LZMA(b[0], b[1], b[2])(nil, data, len(content))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%v: %d bytes of %d, %v", b, len(got), len(content), err)
		}
		if got, err := compress.LZMA(b[0], b[1], b[2])(nil, data[:len(data)-12], len(content)); err != nil || len(got) < len(content)-300 || !bytes.HasPrefix(content, got) {
			t.Errorf("%v: without its end it is %d bytes of %d, %v", b, len(got), len(content), err)
		}
		if got, err := compress.LZMA(3-b[0]%4, b[1], (b[2]+1)%5)(nil, data, len(content)); err == nil && bytes.Equal(got, content) {
			t.Errorf("%v is read with other numbers of bits", b)
		}
	}
}

// sameAsUnsquashfs compares what was opened, file by file, with the image as the pseudo file that unsquashfs makes of it.
func sameAsUnsquashfs(t *testing.T, image string) {
	t.Helper()
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	root := opened(t, data)
	if root.Format != "squashfs" || len(root.Notes) > 0 {
		t.Errorf("it is %q, with notes %v", root.Format, root.Notes)
	}
	pseudo := filepath.Join(t.TempDir(), "pseudo")
	tool(t, "unsquashfs", "-quiet", "-no-progress", "-pf", pseudo, image)
	text, err := os.ReadFile(pseudo)
	if err != nil {
		t.Fatal(err)
	}
	list, content, ok := bytes.Cut(text, []byte("#\n# START OF DATA - DO NOT MODIFY\n#\n"))
	if !ok {
		t.Fatalf("no pseudo file: %.200q", text)
	}
	want, links := pseudoFiles(t, string(list), content)
	got := map[string]string{}
	for _, n := range root.Children {
		name := n.Name
		if n.File.Mode&fs.ModeIrregular != 0 {
			links[name], links[n.File.Target] = links[name]+1, links[n.File.Target]+1
			continue
		}
		got[name] = described(t, n)
	}
	for name := range links { // which of its names a file is told of under is nobody's concern
		delete(want, name)
		delete(got, name)
		if links[name] < 2 {
			t.Errorf("%s is a link in one of both", name)
		}
	}
	for name := range maps.Keys(want) {
		if got[name] != want[name] {
			t.Errorf("%s: %.200s\nunsquashfs: %.200s", name, got[name], want[name])
		}
	}
	if len(got) != len(want) || len(want) < 10 {
		t.Errorf("%d files, and unsquashfs has %d", len(got), len(want))
	}
}

// described is a file in one line.
func described(t *testing.T, n *tree.Node) string {
	t.Helper()
	content, err := n.Read(1 << 30)
	if err != nil || len(n.Notes) > 0 {
		t.Errorf("%s: %v %v", n.Name, err, n.Notes)
	}
	return fmt.Sprintf("%v %d:%d %d -> %q %q", n.File.Mode, n.File.UID, n.File.GID, n.File.Modified.Unix(), n.File.Target, content)
}

// pseudoFiles are the files of a pseudo file, as described describes them, and those that are other names of one, with that.
func pseudoFiles(t *testing.T, list string, content []byte) (files map[string]string, links map[string]int) {
	t.Helper()
	files, links = map[string]string{}, map[string]int{}
	for line := range strings.Lines(list) {
		f := strings.Fields(strings.ReplaceAll(line, `\ `, "\x00"))
		name := strings.ReplaceAll(strings.TrimPrefix(f[0], "/"), "\x00", " ")
		if f[1] == "L" {
			links[name], links[f[2]] = links[name]+1, links[f[2]]+1
			continue
		}
		number := func(i, base int) int64 {
			n, err := strconv.ParseInt(f[i], base, 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			return n
		}
		kind, body, target := uint32(0), []byte(nil), ""
		switch f[1] {
		case "D":
			kind = 0o040000
		case "R":
			kind = 0o100000
			body = content[number(7, 10):][:number(6, 10)]
		case "S":
			kind, target = 0o120000, strings.ReplaceAll(f[6], "\x00", " ")
		case "C":
			kind = 0o020000
		case "B":
			kind = 0o060000
		case "I":
			kind = map[string]uint32{"f": 0o010000, "s": 0o140000}[f[6]]
		}
		if name == "" {
			continue
		}
		mode := tree.UnixMode(kind | uint32(number(3, 8)))
		files[name] = fmt.Sprintf("%v %d:%d %d -> %q %q", mode, number(4, 10), number(5, 10), number(2, 10), target, body)
	}
	return files, links
}

// manyFiles is a folder with several hundred files of all sorts.
func manyFiles(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	chance := rand.New(rand.NewPCG(1, 2))
	put := func(name string, mode fs.FileMode, content []byte) {
		t.Helper()
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(chance.Uint32())
		}
		return b
	}
	program, err := exec.LookPath("unsquashfs")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	put("bin/busybox", 0o755|fs.ModeSetuid, code)
	put("etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n"))
	put("etc/a name with spaces", 0o644, []byte("x"))
	put("etc/none", 0o644, nil)
	put("lib/noise", 0o644, noise(700_000))
	put("lib/zeros", 0o644, make([]byte, 1_500_000))
	put("lib/holes", 0o644, append(append(noise(300_000), make([]byte, 900_000)...), noise(12345)...))
	put("lib/text", 0o644|fs.ModeSetgid, bytes.Repeat([]byte("the same line again and again\n"), 40_000))
	put("lib/text-twice", 0o644, bytes.Repeat([]byte("the same line again and again\n"), 40_000))
	put("lib/block", 0o644, noise(131072))
	for i := range 500 { // more than a list has under one header
		put(fmt.Sprintf("many/file-%03d", i), 0o644, bytes.Repeat([]byte{byte('a' + i%26)}, i*i%5000))
	}
	for i := range 40 {
		put(strings.Repeat("deep/", i+1)+"file", 0o400, noise(i))
	}
	put("dev/null", 0o666, nil)
	if err := os.Link(filepath.Join(root, "bin/busybox"), filepath.Join(root, "bin/ls")); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"bin/sh": "busybox", "etc/mtab": "../proc/self/mounts", "out": "../../../../etc/shadow", "long": strings.Repeat("x/", 500)} {
		if err := os.Symlink(target, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	return root
}
