package elf

import (
	"slices"
	"strings"
)

// Linking is what a file says to the dynamic linker.
type Linking struct {
	Needed  []string // names of libraries
	Name    string   // of a library
	RPath   string   // folders of libraries, old form
	RunPath string   // folders of libraries
	Now     bool     // all symbols are bound when it starts
	PIE     bool     // it calls itself a program at any address
	Imports []string // names of symbols that others are to give, sorted
}

// The tags of the dynamic section that matter here.
const (
	tagNeeded  = 1
	tagHash    = 4
	tagStrings = 5
	tagSymbols = 6
	tagStrSize = 10
	tagName    = 14
	tagRPath   = 15
	tagBindNow = 24
	tagRunPath = 29
	tagFlags   = 30
	tagGNUHash = 0x6ffffef5

	tagMIPSSymbols = 0x70000013
	tagFlags1      = 0x6ffffffb
)

const (
	maxDynamic = 1 << 12 // entries
	maxSymbols = 1 << 18
	maxStrings = 16 << 20 // bytes
	maxNames   = 32 << 20 // bytes of the names of all symbols, which may share theirs
)

// Linking reads the dynamic section; false: there is none.
func (f *File) Linking() (l Linking, ok bool) {
	s, ok := f.Segment(Dynamic)
	if !ok {
		return l, false
	}
	each := f.Bits / 4
	b := f.bytes(s.Offset, s.Size, maxDynamic*each)
	value, needed := map[uint64]uint64{}, []uint64{}
	for ; len(b) >= each; b = b[each:] {
		w := words{f.Order, b, f.Bits == 64}
		tag, v := w.address(0, 0), w.address(4, 8)
		if tag == 0 {
			break
		}
		if tag == tagNeeded {
			needed = append(needed, v)
			continue
		}
		value[tag] = v
	}
	text := f.loaded(value[tagStrings], value[tagStrSize], maxStrings)
	for _, at := range needed {
		l.Needed = append(l.Needed, word(text, at))
	}
	name := func(tag uint64) string {
		if at, ok := value[tag]; ok {
			return word(text, at)
		}
		return ""
	}
	l.Name, l.RPath, l.RunPath = name(tagName), name(tagRPath), name(tagRunPath)
	_, now := value[tagBindNow]
	l.Now = now || value[tagFlags]&8 != 0 || value[tagFlags1]&1 != 0
	l.PIE = value[tagFlags1]&0x08000000 != 0
	for _, sym := range f.symbols(f.loaded(value[tagSymbols], f.dynamicSymbols(value)*uint64(f.symbolSize()), maxSymbols*f.symbolSize()), text) {
		if !sym.defined {
			l.Imports = append(l.Imports, sym.name)
		}
	}
	slices.Sort(l.Imports)
	l.Imports = slices.Compact(l.Imports)
	return l, true
}

// loaded are the bytes that lie at an address when it runs, as far as they are in the file.
func (f *File) loaded(address, length uint64, limit int) []byte {
	for _, s := range f.Segments {
		if s.Type == Load && address >= s.Address && address-s.Address < s.Size {
			skip := address - s.Address
			return f.bytes(s.Offset+skip, min(length, s.Size-skip), limit)
		}
	}
	return nil
}

func (f *File) symbolSize() int {
	if f.Bits == 64 {
		return 24
	}
	return 16
}

// dynamicSymbols is how many dynamic symbols there are. The dynamic section does not tell: the hash tables do.
func (f *File) dynamicSymbols(value map[uint64]uint64) uint64 {
	if at, ok := value[tagHash]; ok {
		if b := f.loaded(at, 8, 8); len(b) == 8 {
			if n := f.Order.Uint32(b[4:]); n > 0 && n <= maxSymbols {
				return uint64(n)
			}
		}
	}
	if n := value[tagMIPSSymbols]; n > 0 && n <= maxSymbols {
		return n
	}
	if at, ok := value[tagGNUHash]; ok {
		if n := f.hashed(at); n > 1 { // GNU ld writes 1 where nothing is defined
			return n
		}
	}
	// The strings follow the symbols in what GNU ld writes.
	if strings, symbols := value[tagStrings], value[tagSymbols]; strings > symbols && (strings-symbols)/uint64(f.symbolSize()) <= maxSymbols {
		return (strings - symbols) / uint64(f.symbolSize())
	}
	return 0
}

// hashed is how many symbols there are by a hash table of the GNU form: the last one of the chain that begins last, or, where nothing is
// defined, those that precede all chains.
func (f *File) hashed(at uint64) uint64 {
	head := f.loaded(at, 16, 16)
	if len(head) < 16 {
		return 0
	}
	buckets, first, bloom := uint64(f.Order.Uint32(head)), uint64(f.Order.Uint32(head[4:])), uint64(f.Order.Uint32(head[8:]))
	if buckets > maxSymbols || bloom > maxSymbols || first > maxSymbols {
		return 0
	}
	at += 16 + bloom*uint64(f.Bits/8)
	last := uint64(0)
	for b := f.loaded(at, 4*buckets, 4*maxSymbols); len(b) >= 4; b = b[4:] {
		last = max(last, uint64(f.Order.Uint32(b)))
	}
	if last < first {
		return first
	}
	for chain := f.loaded(at+4*buckets+4*(last-first), 4*maxSymbols, 4*maxSymbols); len(chain) >= 4; chain = chain[4:] {
		last++
		if f.Order.Uint32(chain)&1 != 0 {
			return last
		}
	}
	return 0
}

// symbol is a name, defined here or wanted from elsewhere.
type symbol struct {
	name    string
	defined bool
}

// symbols reads a table of them. Versions behind an @ are cut off.
func (f *File) symbols(table, text []byte) (list []symbol) {
	each, bytes := f.symbolSize(), 0
	for ; len(table) >= each && bytes < maxNames; table = table[each:] {
		w := words{f.Order, table, f.Bits == 64}
		index := 14
		if w.wide {
			index = 6
		}
		if name, _, _ := strings.Cut(word(text, uint64(w.u32(0))), "@"); name != "" {
			list = append(list, symbol{name, w.u16(index) != 0})
			bytes += len(name)
		}
	}
	return list
}

// Symbols are the names of the table that debuggers read and that strip takes away; nil: there is none. Those of files and sections are
// in it, too.
func (f *File) Symbols() (names []string) {
	for _, s := range f.Sections {
		if s.Type != sectionSymbols || int(s.Link) >= len(f.Sections) {
			continue
		}
		link := f.Sections[s.Link]
		for _, sym := range f.symbols(f.bytes(s.Offset, s.Size, maxSymbols*f.symbolSize()), f.bytes(link.Offset, link.Size, maxStrings)) {
			names = append(names, sym.name)
		}
	}
	return names
}

// Notes calls see for every note of the file (gABI, chapter 5: note section), until it returns false.
func (f *File) Notes(see func(owner string, kind uint32, desc []byte) bool) {
	for _, s := range f.Segments {
		if s.Type != Note {
			continue
		}
		b := f.bytes(s.Offset, s.Size, 1<<16)
		for len(b) >= 12 {
			nameSize, descSize := uint64(f.Order.Uint32(b)), uint64(f.Order.Uint32(b[4:]))
			descAt := 12 + (nameSize+3)&^3
			if descAt+descSize > uint64(len(b)) {
				break
			}
			if !see(word(b[12:12+nameSize], 0), f.Order.Uint32(b[8:]), b[descAt:descAt+descSize]) {
				return
			}
			next := descAt + (descSize+3)&^3
			if next >= uint64(len(b)) {
				break
			}
			b = b[next:]
		}
	}
}

// Content are the bytes of a section, at most so many.
func (f *File) Content(s Section, limit int) []byte {
	if s.Type == sectionNoBits {
		return nil
	}
	return f.bytes(s.Offset, s.Size, limit)
}
