package elf

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// open tells what an ELF file is, and where it ends. It is one content, but for a kernel: in the segments of that there may be a file
// system and the configuration, so that they are its parts.
func open(o *tree.Opening) error {
	f, err := Parse(o.Data, o.Size())
	if err != nil || machines[f.Machine] == "" {
		return tree.ErrNot
	}
	o.Info(f)
	o.Describe("%s", f)
	o.Ends(f.Size)
	if !f.kernel() {
		return nil
	}
	return parts(o, f)
}

// String says what it is: "program for MIPS, 32 bits, big-endian".
func (f *File) String() string {
	kind := map[Type]string{Object: "object", Executable: "program", Shared: "library or program", Core: "core dump"}[f.Type]
	order := "little-endian"
	if f.Order.Uint16([]byte{0, 1}) == 1 {
		order = "big-endian"
	}
	return fmt.Sprintf("%s for %s, %d bits, %s", kind, f.Architecture(), f.Bits, order)
}

// Architecture is the name of the machine.
func (f *File) Architecture() string {
	if name := machines[f.Machine]; name != "" {
		return name
	}
	return fmt.Sprintf("machine %d", f.Machine)
}

// machines are those that devices are made of, and their surroundings (e_machine; gABI and its registry).
var machines = map[uint16]string{
	2: "SPARC", 3: "x86", 4: "68000", 8: "MIPS", 10: "MIPS", 15: "PA-RISC", 18: "SPARC", 20: "PowerPC", 21: "PowerPC 64", 22: "S390", 40: "Arm",
	41: "Alpha", 42: "SuperH", 43: "SPARC 64", 50: "IA-64", 53: "ColdFire", 62: "x86-64", 76: "CRIS", 83: "AVR", 87: "V850", 88: "M32R", 93: "ARC", 94: "Xtensa",
	95: "ARC", 105: "MSP430", 106: "Blackfin", 113: "Nios II", 164: "Hexagon", 183: "AArch64", 185: "AVR32", 189: "MicroBlaze", 195: "ARC", 243: "RISC-V",
	247: "eBPF", 252: "C-SKY", 253: "ARC", 258: "LoongArch",
}

// kernel reports whether it is one of Linux: linked to addresses that no program of a user has.
func (f *File) kernel() bool {
	if f.Type != Executable && f.Type != Shared {
		return false
	}
	if _, ok := f.Segment(Interp); ok {
		return false
	}
	for _, name := range []string{"__ksymtab", ".init.ramfs", "__param"} {
		if _, ok := f.Section(name); ok {
			return true
		}
	}
	load, ok := f.Segment(Load)
	limit := uint64(1) << (f.Bits - 1)
	return ok && load.Address >= limit
}

// parts makes parts of the segments that are loaded and of what lies between.
func parts(o *tree.Opening, f *File) error {
	loads := slices.DeleteFunc(slices.Clone(f.Segments), func(s Segment) bool {
		return s.Type != Load || s.Size == 0 || s.Offset >= uint64(f.Size)
	})
	slices.SortFunc(loads, func(a, b Segment) int { return cmp.Compare(a.Offset, b.Offset) })
	at := int64(0)
	part := func(name string, end int64) error {
		if end <= at {
			return nil
		}
		_, err := o.Part(name, at, end-at)
		at = end
		return err
	}
	for _, s := range loads {
		if err := part("data", int64(s.Offset)); err != nil {
			return err
		}
		if err := part("segment", int64(s.Offset+min(s.Size, uint64(f.Size)-s.Offset))); err != nil {
			return err
		}
	}
	return part("data", f.Size)
}
