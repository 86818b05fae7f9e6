//go:build peers

package firmware

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every stream that the real programs make is opened to what it was made of, alone and in the midst of other data.
func TestStreams(t *testing.T) {
	short := mixture(t)
	long := append(bytes.Clone(short), bytes.Repeat([]byte("text, and the same again\n"), 400_000)...) // more than a block of any format has
	folder := t.TempDir()
	for name, content := range map[string][]byte{"short": short, "long": long} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{
		"gzip -1c", "gzip -9c", "bzip2 -1c", "bzip2 -9c",
		"xz -0c", "xz -6c", "xz -9ec --check=sha256", "xz -c --check=none --block-size=1MiB -T2", "xz -c --lzma2=dict=64KiB,lc=0,lp=4,pb=0",
		"xz -c --x86 --lzma2=preset=6", "xz -c --arm --lzma2", "xz -c --armthumb --lzma2", "xz -c --powerpc --lzma2", "xz -c --sparc --lzma2", "xz -c --ia64 --lzma2",
		"xz -c --arm64 --lzma2", "xz -c --delta=dist=4 --x86=start=4096 --lzma2=dict=1MiB",
		"xz -c --format=lzma -0", "xz -c --format=lzma -9", "xz -c --format=lzma --lzma1=lc=1,lp=2,pb=2,dict=64KiB",
		"zstd -qc -1", "zstd -qc -19", "zstd -qc --ultra -22 --long=27", "zstd -qc --no-check -B100000 -T2",
		"lz4 -qc -1", "lz4 -qc -9 -BD", "lz4 -qc -B4 -BD -BX --content-size", "lz4 -qc -B7 --no-frame-crc", "lz4 -qc -l", "lz4 -qc -l -9",
		"lzop -c -1", "lzop -c -9", "lzop -c --crc32", "lzop -c -F",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			content, name := short, "short"
			if strings.HasPrefix(command, "lz4") || strings.HasPrefix(command, "xz -0c") {
				content, name = long, "long"
			}
			words := append(strings.Fields(command), filepath.Join(folder, name))
			data := tool(t, words[0], words[1:]...)
			n := opened(t, data)
			if len(n.Children) != 1 || len(n.Children[0].Notes) > 0 || len(n.Notes) > 0 {
				t.Fatalf("it is %q and holds %d things; notes %v", n.Format, len(n.Children), n.Notes)
			}
			if got, err := n.Children[0].Read(1 << 30); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes come of it, and not %d (%v)", len(got), len(content), err)
			}
			between := opened(t, append(append(bytes.Repeat([]byte("before"), 1000), data...), "Zthe end"...))
			if len(between.Children) != 3 || between.Children[1].Offset != 6000 || between.Children[1].Size() != int64(len(data)) {
				t.Errorf("in the midst of other data it is not found: %d things", len(between.Children))
			}
		})
	}
}

// mixture is machine code, text, noise and zeros.
func mixture(t *testing.T) []byte {
	t.Helper()
	program, err := exec.LookPath("unsquashfs")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		b = append(b, byte(chance.Uint32()))
	}
	for range 20 { // what each of the filters for machine code changes
		for range 500 {
			b = append(b, byte(chance.Uint32()), byte(chance.Uint32()), 0, 0xeb, 0x48, 0, byte(chance.Uint32()), 1, 0x40, 0, byte(chance.Uint32()), 2)
			b = append(b, byte(chance.Uint32()), 0xf1, byte(chance.Uint32()), 0xf9, byte(chance.Uint32()), byte(chance.Uint32()), 0, 0x94, 0x11, byte(chance.Uint32()), 0, 0x90)
		}
		b = append(b, make([]byte, 10_000)...)
	}
	return append(b, bytes.Repeat([]byte("text, and the same again\n"), 20_000)...)
}
