//go:build peers

package firmware

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/boot"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// noise is bytes that nothing compresses and no format begins.
func noise(seed byte, size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// written puts contents into files of a new folder, and gives it.
func written(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// child is the content with that name, which must hold want.
func child(t testing.TB, n *tree.Node, name string, want []byte) *tree.Node {
	t.Helper()
	for _, c := range n.Children {
		if c.Name != name {
			continue
		}
		got, err := c.Read(int64(len(want)) + 1)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d, or they differ", c.Path(), c.Size(), len(want))
		}
		return c
	}
	t.Fatalf("%s has no %q among its %d children", n.Path(), name, len(n.Children))
	return nil
}

func quiet(t testing.TB, root *tree.Node) {
	t.Helper()
	for n := range root.All() {
		if len(n.Notes) > 0 {
			t.Errorf("%s: %v", n.Path(), n.Notes)
		}
	}
}

func TestMkimage(t *testing.T) {
	kernel, ramdisk := noise(1, 70_001), noise(2, 50_003)
	dir := written(t, map[string][]byte{"kernel": kernel, "ramdisk": ramdisk})
	image := filepath.Join(dir, "image")
	tool(t, "mkimage", "-A", "arm", "-O", "linux", "-T", "kernel", "-C", "none", "-n", "a kernel", "-d", filepath.Join(dir, "kernel"), image)
	root := opened(t, append(read(t, image), noise(3, 5000)...))
	_, headers := tree.InfoOf[*boot.UImage](root)
	if len(headers) != 1 || !headers[0].Intact || headers[0].Name != "a kernel" || headers[0].Arch != "Arm" {
		t.Fatalf("headers %+v", headers)
	}
	child(t, root.Children[0], "kernel", kernel)
	tool(t, "mkimage", "-A", "mips", "-O", "linux", "-T", "multi", "-C", "none", "-d", filepath.Join(dir, "kernel")+":"+filepath.Join(dir, "ramdisk"), image)
	root = opened(t, read(t, image))
	child(t, root, "part 0", kernel)
	child(t, root, "part 1", ramdisk)
	quiet(t, root)
}

const fitSource = `/dts-v1/;
/ { description = "two of them"; #address-cells = <1>;
 images {
  kernel { description = "k"; data = /incbin/("kernel"); type = "kernel"; arch = "arm64"; os = "linux"; compression = "none"; load = <0>; entry = <0>; hash-1 { algo = "sha256"; }; };
  ramdisk { description = "r"; data = /incbin/("ramdisk"); type = "ramdisk"; arch = "arm64"; os = "linux"; compression = "none"; hash-1 { algo = "crc32"; }; };
 };
 configurations { default = "conf"; conf { kernel = "kernel"; ramdisk = "ramdisk"; }; };
};`

func TestFIT(t *testing.T) {
	kernel, ramdisk := noise(4, 30_001), noise(5, 20_003)
	dir := written(t, map[string][]byte{"kernel": kernel, "ramdisk": ramdisk, "it.its": []byte(fitSource)})
	t.Chdir(dir)
	for _, args := range [][]string{{"-f", "it.its", "inside.itb"}, {"-E", "-f", "it.its", "beside.itb"}, {"-E", "-p", "0x2000", "-f", "it.its", "placed.itb"}} {
		tool(t, "mkimage", args...)
		root := opened(t, read(t, args[len(args)-1]))
		fit, ok := root.Info.(*boot.FIT)
		if !ok || len(fit.Images) != 2 || fit.Default != "conf" || fit.Images[0].Hashes[0] != "sha256" || len(fit.Configurations[0].Signatures) != 0 {
			t.Fatalf("%v: %+v", args, root.Info)
		}
		child(t, root, "kernel", kernel)
		child(t, root, "ramdisk", ramdisk)
		quiet(t, root)
	}
}

func TestDeviceTree(t *testing.T) {
	dir := written(t, map[string][]byte{"it.dts": []byte(`/dts-v1/; / { model = "a board"; chosen { bootargs = "console=ttyS0 init=/bin/sh"; }; };`)})
	tool(t, "dtc", "-I", "dts", "-O", "dtb", "-o", filepath.Join(dir, "it.dtb"), filepath.Join(dir, "it.dts"))
	root := opened(t, append(noise(6, 777), read(t, filepath.Join(dir, "it.dtb"))...))
	_, trees := tree.InfoOf[*boot.DTNode](root)
	if len(trees) != 1 || trees[0].Child("chosen").Property("bootargs").Text() != "console=ttyS0 init=/bin/sh" {
		t.Fatalf("%d trees", len(trees))
	}
}

func TestMkenvimage(t *testing.T) {
	text := "baudrate=115200\nbootcmd=run a; bootm\nbootdelay=3\nipaddr=192.168.1.1\n"
	dir := written(t, map[string][]byte{"env": []byte(text)})
	for _, args := range [][]string{{"-s", "8192"}, {"-s", "0x10000", "-r"}, {"-s", "4096", "-p", "0xff"}} {
		image := filepath.Join(dir, "image")
		tool(t, "mkenvimage", append(args, "-o", image, filepath.Join(dir, "env"))...)
		data := read(t, image)
		root := opened(t, append(append(noise(7, 4096), data...), noise(8, 4096)...))
		nodes, found := tree.InfoOf[*boot.Environment](root)
		if len(found) != 1 || nodes[0].Offset != 4096 || nodes[0].Size() != int64(len(data)) || !found[0].Stored || len(found[0].Variables) != 4 {
			t.Fatalf("%v: %d found", args, len(found))
		}
		if delay, _ := found[0].Value("bootdelay"); delay != "3" {
			t.Errorf("%v: bootdelay %q", args, delay)
		}
	}
}

func TestSparse(t *testing.T) {
	image := append(append(noise(9, 3*4096), make([]byte, 400*4096)...), bytes.Repeat([]byte("abcd"), 2*1024)...)
	image = append(image, noise(10, 4096)...)
	dir := written(t, map[string][]byte{"image": image})
	tool(t, "img2simg", filepath.Join(dir, "image"), filepath.Join(dir, "sparse"))
	sparse := read(t, filepath.Join(dir, "sparse"))
	if len(sparse) > len(image)/10 {
		t.Fatalf("img2simg saved nothing: %d of %d bytes", len(sparse), len(image))
	}
	child(t, opened(t, sparse), "image", image)
}

// Debian's mkbootimg makes no header 4.
func TestMkbootimg(t *testing.T) {
	kernel, ramdisk, dtb := noise(11, 30_000), noise(12, 9_000), noise(13, 5_000)
	dir := written(t, map[string][]byte{"kernel": kernel, "ramdisk": ramdisk, "dtb": dtb})
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, version := range []string{"0", "1", "2", "3"} {
		args := []string{"--header_version", version, "--kernel", in("kernel"), "--ramdisk", in("ramdisk"), "--cmdline", "console=ttyMSM0", "-o", in("image")}
		if version == "2" {
			args = append(args, "--dtb", in("dtb"))
		}
		tool(t, "mkbootimg", args...)
		root := opened(t, read(t, in("image")))
		header, ok := root.Info.(*boot.AndroidBoot)
		if !ok || !strings.HasPrefix(header.Command, "console=ttyMSM0") {
			t.Fatalf("header %s: %+v", version, root.Info)
		}
		child(t, root, "kernel", kernel)
		child(t, root, "ramdisk", ramdisk)
		if version == "2" {
			child(t, root, "dtb", dtb)
		}
		quiet(t, root)
	}
}
