package elf

import (
	"bytes"
	stdelf "debug/elf"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/tree"
	"github.com/shakedown-test/shakedown/reference/image"
)

// samples are small files of all classes and byte orders.
func samples() map[string]image.ELF {
	e := image.ELF{
		Machine: 40, Interpreter: "/lib/ld-musl-arm.so.1", RELRO: true, Now: true, Needed: []string{"libc.so", "libz.so.1"}, Imports: []string{"listen", "bind", "strcpy"},
		RunPath: "$ORIGIN/../lib", Symbols: []string{"main", "helper"},
	}
	big := e
	big.Big, big.Machine, big.Fixed, big.Now, big.Symbols, big.Stack = true, 8, true, false, nil, image.StackUnmarked
	wide := e
	wide.Wide, wide.Machine, wide.Stack = true, 62, image.StackExecutable
	wideBig := wide
	wideBig.Big, wideBig.Machine, wideBig.RPath, wideBig.RunPath = true, 21, "/tmp/lib", ""
	return map[string]image.ELF{"32 little": e, "32 big": big, "64 little": wide, "64 big": wideBig}
}

func TestParse(t *testing.T) {
	for name, e := range samples() {
		t.Run(name, func(t *testing.T) {
			b := e.Bytes()
			f, err := Parse(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			if f.Size != int64(len(b)) || f.Interpreter() != e.Interpreter || f.Machine != e.Machine {
				t.Errorf("%d of %d bytes, interpreter %q, machine %d", f.Size, len(b), f.Interpreter(), f.Machine)
			}
			l, ok := f.Linking()
			want := Linking{Needed: e.Needed, RPath: e.RPath, RunPath: e.RunPath, Now: e.Now, PIE: !e.Fixed, Imports: slices.Sorted(slices.Values(e.Imports))}
			if diff := cmp.Diff(want, l); !ok || diff != "" {
				t.Errorf("linking (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(e.Symbols, f.Symbols()); diff != "" {
				t.Errorf("symbols (-want +got):\n%s", diff)
			}
			agree(t, b)
		})
	}
}

// agree compares with what the standard library reads.
func agree(t *testing.T, b []byte) {
	t.Helper()
	std, err := stdelf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if len(std.Progs) != len(f.Segments) || len(std.Sections) != len(f.Sections) || std.Entry != f.Entry {
		t.Errorf("%d segments, %d sections, entry %#x; want %d, %d, %#x", len(f.Segments), len(f.Sections), f.Entry, len(std.Progs), len(std.Sections), std.Entry)
	}
	for i, s := range std.Sections {
		if g := f.Sections[i]; g.Name != s.Name || g.Offset != s.Offset || g.Size != s.FileSize && s.Type != stdelf.SHT_NOBITS {
			t.Errorf("section %d is %v, want %v", i, g, s.SectionHeader)
		}
	}
	var want []string
	all, _ := std.Symbols()
	for _, s := range all {
		if s.Name != "" {
			want = append(want, s.Name)
		}
	}
	if diff := cmp.Diff(want, f.Symbols()); diff != "" {
		t.Errorf("symbols (-want +got):\n%s", diff)
	}
	if l, ok := f.Linking(); ok && std.Section(".dynsym") != nil {
		dynamic, err := std.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		want = nil
		for _, s := range dynamic {
			if s.Section == stdelf.SHN_UNDEF && s.Name != "" {
				want = append(want, s.Name)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(slices.Compact(want), l.Imports); diff != "" {
			t.Errorf("imports (-want +got):\n%s", diff)
		}
	}
}

// GNU ld writes a hash table of the GNU form that says nothing about symbols when none is defined.
func TestImportsWithoutDefinitions(t *testing.T) {
	e := samples()["32 little"]
	b := e.Bytes()
	f, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	dynamic, _ := f.Segment(Dynamic)
	for at := dynamic.Offset; at < dynamic.Offset+dynamic.Size; at += 8 {
		if f.Order.Uint32(b[at:]) == tagHash {
			f.Order.PutUint32(b[at:], tagGNUHash)
			hash := f.Order.Uint32(b[at+4:]) - uint32(f.Segments[1].Address)
			for i, v := range []uint32{1, 1, 1, 0, 0} {
				f.Order.PutUint32(b[hash+4*uint32(i):], v)
			}
		}
	}
	if l, _ := f.Linking(); len(l.Imports) != len(e.Imports) {
		t.Errorf("imports %v, want %v", l.Imports, e.Imports)
	}
}

// The test itself is a program of the machine that it runs on.
func TestAgreesOnARealProgram(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte(magic)) {
		t.Skip("programs of this machine are no ELF files")
	}
	agree(t, b)
}

func opened(t testing.TB, b []byte) *tree.Opened {
	t.Helper()
	o, err := tree.Open(t.Context(), "x", io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), Formats, tree.Limits{Unguarded: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func TestWhatIsAppendedIsSplitOff(t *testing.T) {
	e := samples()["32 little"]
	b := append(e.Bytes(), "a secret behind it"...)
	root := opened(t, b).Root
	if len(root.Children) != 2 || root.Children[0].Format != "elf" || root.Children[1].Size() != 18 || !root.Children[0].Leaf() {
		t.Errorf("%v", root.Children)
	}
}

func TestAKernelHasParts(t *testing.T) {
	e := samples()["32 big"]
	e.Interpreter, e.Fixed = "", true
	b := e.Bytes()
	for i := range 2 { // both segments are moved to the addresses of a kernel
		b[52+32*i+8] = 0x80
	}
	root := opened(t, b).Root
	if root.Format != "elf" || root.Leaf() {
		t.Fatalf("it is %q with %d parts", root.Format, len(root.Children))
	}
	at := int64(0)
	for _, c := range root.Children {
		if c.Offset != at {
			t.Errorf("%s lies at %d, want %d", c.Name, c.Offset, at)
		}
		at += c.Size()
	}
	if at != int64(len(b)) {
		t.Errorf("the parts end at %d of %d bytes", at, len(b))
	}
}

func TestHostileFiles(t *testing.T) {
	for name, e := range samples() {
		whole := e.Bytes()
		for n := range whole {
			read(whole[:n])
		}
		for i := range whole {
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				b := bytes.Clone(whole)
				b[i] = v
				read(b)
			}
		}
		if _, err := Parse(bytes.NewReader(whole[:40]), 40); err == nil {
			t.Errorf("%s: half a header was read", name)
		}
	}
}

// read reads all that can be read, and says how much that is.
func read(b []byte) (kept int) {
	f, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0
	}
	if f.Size > int64(len(b)) {
		panic("it goes on behind its end")
	}
	l, _ := f.Linking()
	f.Notes(func(string, uint32, []byte) bool { kept++; return true })
	kept += len(f.Segments) + len(f.Sections) + len(f.Symbols()) + len(l.Imports) + len(l.Needed) + len(f.Interpreter())
	for _, s := range f.Sections {
		kept += len(f.Content(s, 1<<10))
	}
	return kept
}

func FuzzELF(f *testing.F) {
	for _, e := range samples() {
		f.Add(e.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := read(b); n > maxSections<<10+64*len(b) {
			t.Errorf("%d things of %d bytes", n, len(b))
		}
		if len(b) > 0 && b[0] == magic[0] {
			opened(t, b)
		}
	})
}
