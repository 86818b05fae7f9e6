// Package hardening tells how the compiler and the linker protected a program of Linux: facts, of which the architecture decides
// what they are worth.
package hardening

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/elf"
)

// Stack says what the program asks of its stack.
type Stack string

// The stacks.
const (
	StackPlain      Stack = "not executable"
	StackExecutable Stack = "executable"
	StackUnmarked   Stack = "not marked" // what follows depends on the architecture; see Unmarked
)

// Language is what a program was written in, as far as that decides which protections there can be.
type Language string

// The languages.
const (
	C    Language = "C" // or C++, or unknown
	Go   Language = "Go"
	Rust Language = "Rust"
)

// Binary are the facts of a program or a library.
type Binary struct {
	Architecture string // "MIPS"
	Bits         int
	Told         bool // it says that it is for Linux; else only the way in which it was linked says so
	Program      bool // not a library
	Interpreter  string
	Static       bool // nobody links it when it starts
	PIE          bool // of a program: it runs at any address
	Stack        Stack
	RELRO, Now   bool // what the linker filled in is read-only; all of it is filled in before it starts
	Linked       elf.Linking
	Symbols      bool // the table that strip takes away is there
	Debug        bool // debug information is there
	Canary       bool // a smashed stack is noticed
	Fortified    []string
	Language     Language
	BuildID      string // in hex
	Known        bool   // the names of functions that it calls are known: without them it cannot be told what it calls
	calls        []string
}

// Of gives the facts of a program or library for Linux; false: it is something else, such as a kernel, a module of it, an object to be
// linked, or a program for a bare machine.
func Of(f *elf.File) (b Binary, ok bool) {
	if f.Type != elf.Executable && f.Type != elf.Shared {
		return b, false
	}
	linked, _ := f.Linking()
	stack, marked := f.Segment(elf.GNUStack)
	b = Binary{Architecture: f.Architecture(), Bits: f.Bits, Interpreter: f.Interpreter(), Linked: linked, Now: linked.Now}
	b.Told = b.Interpreter != "" || len(linked.Needed) > 0
	f.Notes(func(owner string, kind uint32, desc []byte) bool {
		switch {
		case owner == "GNU" && kind == 1 && len(desc) >= 4 && f.Order.Uint32(desc) == 0, owner == "Android":
			b.Told = true
		case owner == "GNU" && kind == 3 && len(desc) <= 64:
			b.BuildID = hex.EncodeToString(desc)
		case owner == "Go":
			b.Language = Go
		}
		return true
	})
	if !b.Told && !marked {
		return b, false
	}
	b.Program = f.Type == elf.Executable || b.Interpreter != "" && linked.Name == "" || linked.PIE
	b.PIE = f.Type == elf.Shared
	b.Static = b.Program && b.Interpreter == "" && len(linked.Needed) == 0
	b.Stack = StackUnmarked
	if marked {
		b.Stack = StackPlain
		if stack.Flags&1 != 0 {
			b.Stack = StackExecutable
		}
	}
	_, b.RELRO = f.Segment(elf.GNURelro)
	b.sections(f)
	b.functions(f)
	return b, true
}

// sections finds what only sections tell.
func (b *Binary) sections(f *elf.File) {
	for _, s := range f.Sections {
		switch {
		case s.Name == ".symtab":
			b.Symbols = true
		case s.Name == ".debug_info", s.Name == ".zdebug_info", s.Name == ".debug_line", s.Name == ".stab":
			b.Debug = true
		case s.Name == ".gopclntab", s.Name == ".go.buildinfo":
			b.Language = Go
		case s.Name == ".comment" && bytes.Contains(f.Content(s, 4<<10), []byte("rustc version")):
			b.Language = Rust
		}
	}
}

// functions finds what the names of functions tell.
func (b *Binary) functions(f *elf.File) {
	b.calls = b.Linked.Imports
	b.Known = len(b.calls) > 0
	if b.Static && b.Symbols {
		b.calls, b.Known = f.Symbols(), true
		slices.Sort(b.calls)
	}
	for _, name := range b.calls {
		switch {
		case strings.HasPrefix(name, "__stack_chk_"), name == "__stack_smash_handler", name == "__intel_security_cookie":
			b.Canary = true
		case len(name) > 6 && strings.HasPrefix(name, "__") && strings.HasSuffix(name, "_chk"):
			b.Fortified = append(b.Fortified, strings.TrimSuffix(name[2:], "_chk"))
		case strings.HasPrefix(name, "rust_eh_personality"), strings.HasPrefix(name, "_ZN3std2rt"):
			b.Language = Rust
		}
	}
	if b.Language == "" {
		b.Language = C
	}
}

// Calls reports whether it calls a function of that name, as far as that is known.
func (b *Binary) Calls(name string) bool {
	_, ok := slices.BinarySearch(b.calls, name)
	return ok
}

// AnyOf are those of the functions that it calls.
func (b *Binary) AnyOf(names ...string) (calls []string) {
	for _, name := range names {
		if b.Calls(name) {
			calls = append(calls, name)
		}
	}
	return calls
}

// Listens reports whether it is a program that takes connections or messages of others by itself. One that leaves that to a library is
// not told from others.
func (b *Binary) Listens() bool {
	return b.Program && b.Calls("bind") && len(b.AnyOf("listen", "accept", "accept4", "recvfrom", "recvmsg")) > 0
}

// Library is the C library that it needs: "glibc", "musl", "uClibc", "bionic" or "" where that is not known.
func (b *Binary) Library() string {
	in := func(text string) bool { return strings.Contains(b.Interpreter, text) }
	needs := func(prefix string) bool {
		return slices.ContainsFunc(b.Linked.Needed, func(n string) bool { return strings.HasPrefix(n, prefix) })
	}
	switch {
	case in("ld-musl"), needs("libc.musl"):
		return "musl"
	case in("uClibc"), needs("libc.so.0"):
		return "uClibc"
	case in("/system/bin/linker"):
		return "bionic"
	case needs("libc.so.6"):
		return "glibc"
	}
	return ""
}
