package hardening

// Unmarked is what Linux makes of the stack of a program that is not marked (PT_GNU_STACK): the comments over elf_read_implies_exec in
// arch/*/include/asm/elf.h of the kernel say so.
func (b *Binary) Unmarked() Stack {
	switch b.Architecture {
	case "x86-64", "AArch64", "RISC-V", "LoongArch", "ARC":
		return StackPlain
	}
	return StackExecutable
}

// Expects says which protections the usual tool chains of an architecture give to programs, so that their absence is the maker's doing.
type Expects struct {
	Marked bool // the stack is marked
	PIE    bool
	RELRO  bool
	Now    bool
	Why    string // why not all of them
}

// Expected is what can be expected of a binary. On MIPS the kernel ran the delay slots of emulated floating-point instructions on the
// stack until Linux 4.8, and C libraries asked for an executable one long after, so that Debian 12 still has such programs there; the
// tool chains of makers are often older.
func (b *Binary) Expected() Expects {
	switch b.Architecture {
	case "x86", "x86-64", "Arm", "AArch64", "RISC-V", "PowerPC", "PowerPC 64", "LoongArch", "S390":
		return Expects{Marked: true, PIE: true, RELRO: true, Now: true}
	case "MIPS":
		return Expects{Why: "many tool chains for MIPS neither mark stacks nor make position-independent programs or read-only relocations by themselves"}
	}
	return Expects{PIE: true, Why: "what the tool chains for " + b.Architecture + " do by themselves differs"}
}
