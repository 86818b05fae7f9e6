package hardening

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shakedown-test/shakedown/firmware/elf"
	"github.com/shakedown-test/shakedown/reference/image"
)

// facts are those of a file.
func facts(t *testing.T, e image.ELF) (Binary, bool) {
	t.Helper()
	b := e.Bytes()
	f, err := elf.Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return Of(f)
}

func TestOf(t *testing.T) {
	hardened := image.ELF{
		Machine: 40, Interpreter: "/lib/ld-linux-armhf.so.3", RELRO: true, Now: true, Needed: []string{"libc.so.6"},
		Imports: []string{"__stack_chk_fail", "__memcpy_chk", "bind", "listen", "accept"},
	}
	b, ok := facts(t, hardened)
	if !ok || !b.Program || !b.PIE || b.Static || b.Stack != StackPlain || !b.RELRO || !b.Now || !b.Canary || b.Symbols || !b.Listens() || b.Library() != "glibc" || b.Language != C {
		t.Errorf("hardened: %+v", b)
	}
	if diff := cmp.Diff([]string{"memcpy"}, b.Fortified); diff != "" {
		t.Errorf("fortified (-want +got):\n%s", diff)
	}

	weak := image.ELF{
		Machine: 8, Big: true, Fixed: true, Stack: image.StackExecutable, Interpreter: "/lib/ld-uClibc.so.0", Needed: []string{"libc.so.0"},
		Imports: []string{"strcpy", "system"}, Symbols: []string{"main"},
	}
	b, ok = facts(t, weak)
	if !ok || !b.Program || b.PIE || b.Stack != StackExecutable || b.RELRO || b.Now || b.Canary || !b.Symbols || b.Listens() || b.Library() != "uClibc" {
		t.Errorf("weak: %+v", b)
	}
	if diff := cmp.Diff([]string{"strcpy", "system"}, b.AnyOf("gets", "strcpy", "system")); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}

	static := image.ELF{Machine: 40, Fixed: true}
	if b, ok := facts(t, static); !ok || b.Told || !b.Program || !b.Static {
		t.Errorf("static: %+v", b)
	}

	library := image.ELF{Machine: 183, Wide: true, Needed: []string{"libc.so"}, Imports: []string{"bind", "listen"}}
	b, ok = facts(t, library)
	if !ok || b.Program || b.Listens() || b.Stack != StackPlain {
		t.Errorf("library: %+v", b)
	}

	bare := image.ELF{Machine: 40, Fixed: true, Stack: image.StackUnmarked}
	if b, ok := facts(t, bare); ok {
		t.Errorf("a program for a bare machine: %+v", b)
	}
}

func TestStackThatIsNotMarked(t *testing.T) {
	for machine, want := range map[uint16]Stack{8: StackExecutable, 40: StackExecutable, 3: StackExecutable, 62: StackPlain, 183: StackPlain} {
		e := image.ELF{Machine: machine, Wide: machine > 50, Stack: image.StackUnmarked, Interpreter: "/lib/ld.so.1"}
		b, ok := facts(t, e)
		if !ok || b.Stack != StackUnmarked || b.Unmarked() != want {
			t.Errorf("machine %d: %s, which is %s, want %s", machine, b.Stack, b.Unmarked(), want)
		}
	}
}

func TestExpected(t *testing.T) {
	for machine, want := range map[uint16]bool{8: false, 40: true, 183: true, 94: false} {
		b, _ := facts(t, image.ELF{Machine: machine, Interpreter: "/lib/ld.so.1"})
		if got := b.Expected(); got.RELRO != want || (got.Why == "") != want {
			t.Errorf("machine %d: %+v", machine, got)
		}
	}
}
