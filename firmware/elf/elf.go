// Package elf reads the Executable and Linkable Format, as chapters 4 and 5 of the System V generic ABI and the Linux Standard Base
// describe it: what a file is, what it needs, and where it ends. It works from segments where sections are stripped, as on many
// devices, and is bounded in all that a file may claim.
package elf

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Formats are those of this package.
var Formats = []tree.Format{{ID: "elf", Title: "ELF file", Magic: []tree.Magic{{At: 0, Bytes: magic}}, Search: true, Open: open}}

const magic = "\x7fELF"

// Type is e_type.
type Type uint16

// The types.
const (
	Object     Type = 1 // to be linked; kernel modules are such, too
	Executable Type = 2 // at a fixed address
	Shared     Type = 3 // a library, or a program at any address
	Core       Type = 4
)

// The types of segments that matter here.
const (
	Load     = 1
	Dynamic  = 2
	Interp   = 3
	Note     = 4
	TLS      = 7
	GNUStack = 0x6474e551
	GNURelro = 0x6474e552
)

// The types of sections that matter here.
const (
	sectionSymbols = 2
	sectionNoBits  = 8
)

const (
	maxSegments = 1 << 10
	maxSections = 1 << 15
)

// File is the frame of an ELF file.
type File struct {
	Bits     int // 32 or 64
	Order    binary.ByteOrder
	Type     Type
	Machine  uint16
	Entry    uint64
	Segments []Segment
	Sections []Section // none where they are stripped
	Size     int64     // where it ends: the furthest end of headers, segments and sections, though not behind the data

	data io.ReaderAt
}

// Segment is a program header.
type Segment struct {
	Type, Flags                uint32
	Offset, Address, Size, Mem uint64
}

// Section is a section header.
type Section struct {
	Name                  string
	Type, Link            uint32
	Offset, Size, Address uint64
}

// words decodes fields whose place and size depend on the class.
type words struct {
	order binary.ByteOrder
	b     []byte
	wide  bool
}

func (w words) u16(at int) uint16 { return w.order.Uint16(w.b[at:]) }
func (w words) u32(at int) uint32 { return w.order.Uint32(w.b[at:]) }

// address is at n32 in the class of 32 bits and at n64 in the other.
func (w words) address(n32, n64 int) uint64 {
	if w.wide {
		return w.order.Uint64(w.b[n64:])
	}
	return uint64(w.u32(n32))
}

// Parse reads the headers of a file of that size. It fails when they are none, or do not fit together.
func Parse(data io.ReaderAt, size int64) (*File, error) {
	b := make([]byte, 64)
	n, err := data.ReadAt(b, 0)
	if n < 52 && err != nil || string(b[:4]) != magic || b[6] != 1 {
		return nil, fmt.Errorf("read ELF header: it is none")
	}
	f := &File{Bits: 32, Order: binary.LittleEndian, data: data}
	switch {
	case b[4] == 2 && n == 64:
		f.Bits = 64
	case b[4] != 1:
		return nil, fmt.Errorf("read ELF header: class %d", b[4])
	}
	switch b[5] {
	case 1:
	case 2:
		f.Order = binary.BigEndian
	default:
		return nil, fmt.Errorf("read ELF header: byte order %d", b[5])
	}
	w := words{f.Order, b, f.Bits == 64}
	f.Type, f.Machine, f.Entry = Type(w.u16(16)), w.u16(18), w.address(24, 24)
	if w.u32(20) != 1 || f.Type < Object || f.Type > Core {
		return nil, fmt.Errorf("read ELF header: type %d, version %d", f.Type, w.u32(20))
	}
	tail, headSize := 40, 52 // where e_ehsize stands
	if w.wide {
		tail, headSize = 52, 64
	}
	if int(w.u16(tail)) != headSize {
		return nil, fmt.Errorf("read ELF header: a header of %d bytes", w.u16(tail))
	}
	f.Size = int64(headSize)
	if err := f.segments(w.address(28, 32), int(w.u16(tail+2)), int(w.u16(tail+4)), size); err != nil {
		return nil, err
	}
	if err := f.sections(w.address(32, 40), int(w.u16(tail+6)), int(w.u16(tail+8)), int(w.u16(tail+10)), size); err != nil {
		return nil, err
	}
	if len(f.Segments)+len(f.Sections) == 0 {
		return nil, fmt.Errorf("read ELF header: it has neither segments nor sections")
	}
	return f, nil
}

// reach has the file go on at least to the end of a stretch. One that begins or ends behind the data is cut off: it is no part of them.
func (f *File) reach(offset, length uint64, size int64) {
	if offset > uint64(size) {
		return
	}
	f.Size = max(f.Size, int64(offset+min(length, uint64(size)-offset)))
}

// table reads headers of one size.
func (f *File) table(what string, at uint64, each, n, least int, size int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if each < least || each > 256 {
		return nil, fmt.Errorf("read %s headers: %d bytes each", what, each)
	}
	length := uint64(each) * uint64(n)
	if at > uint64(size) || length > uint64(size)-at {
		return nil, fmt.Errorf("read %s headers: they are said to lie at %d, %d bytes long: that is outside", what, at, length)
	}
	b := make([]byte, length)
	if _, err := f.data.ReadAt(b, int64(at)); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s headers: %w", what, err)
	}
	f.reach(at, length, size)
	return b, nil
}

func (f *File) segments(at uint64, each, n int, size int64) error {
	if n > maxSegments {
		return fmt.Errorf("read program headers: there are %d", n)
	}
	least := 32
	if f.Bits == 64 {
		least = 56
	}
	b, err := f.table("program", at, each, n, least, size)
	if err != nil {
		return err
	}
	for ; len(b) > 0; b = b[each:] {
		w := words{f.Order, b, f.Bits == 64}
		s := Segment{Type: w.u32(0), Flags: w.u32(24), Offset: w.address(4, 8), Address: w.address(8, 16), Size: w.address(16, 32), Mem: w.address(20, 40)}
		if w.wide {
			s.Flags = w.u32(4)
		}
		f.Segments = append(f.Segments, s)
		f.reach(s.Offset, s.Size, size)
	}
	return nil
}

func (f *File) sections(at uint64, each, n, names int, size int64) error {
	if at == 0 || n == 0 {
		return nil
	}
	if n > maxSections {
		return fmt.Errorf("read section headers: there are %d", n)
	}
	least := 40
	if f.Bits == 64 {
		least = 64
	}
	b, err := f.table("section", at, each, n, least, size)
	if err != nil && len(f.Segments) > 0 { // they matter to nobody but debuggers: a file that was cut or stripped runs without
		return nil
	}
	if err != nil {
		return err
	}
	var at32 []uint32
	for ; len(b) > 0; b = b[each:] {
		w := words{f.Order, b, f.Bits == 64}
		s := Section{Type: w.u32(4), Address: w.address(12, 16), Offset: w.address(16, 24), Size: w.address(20, 32), Link: w.u32(24)}
		if w.wide {
			s.Link = w.u32(40)
		}
		at32 = append(at32, w.u32(0))
		f.Sections = append(f.Sections, s)
		if s.Type != sectionNoBits && s.Type != 0 {
			f.reach(s.Offset, s.Size, size)
		}
	}
	if names < len(f.Sections) {
		text := f.bytes(f.Sections[names].Offset, f.Sections[names].Size, 1<<20)
		for i := range f.Sections {
			f.Sections[i].Name = word(text, uint64(at32[i]))
		}
	}
	return nil
}

// bytes are at most so many of a stretch, or fewer where it is longer than the data.
func (f *File) bytes(offset, length uint64, limit int) []byte {
	if offset > 1<<62 {
		return nil
	}
	b := make([]byte, min(length, uint64(limit), uint64(max(0, f.Size-int64(offset)))))
	n, _ := f.data.ReadAt(b, int64(offset))
	return b[:n]
}

// word is the text that ends with a zero byte, from a place in a table of strings on. At most 512 bytes of it are read.
func word(table []byte, at uint64) string {
	if at >= uint64(len(table)) {
		return ""
	}
	b := table[at:min(uint64(len(table)), at+512)]
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// Segment is the first segment of a type.
func (f *File) Segment(kind uint32) (Segment, bool) {
	i := slices.IndexFunc(f.Segments, func(s Segment) bool { return s.Type == kind })
	if i < 0 {
		return Segment{}, false
	}
	return f.Segments[i], true
}

// Section is the first section of a name.
func (f *File) Section(name string) (Section, bool) {
	i := slices.IndexFunc(f.Sections, func(s Section) bool { return s.Name == name })
	if i < 0 {
		return Section{}, false
	}
	return f.Sections[i], true
}

// Interpreter is the program that loads it, such as "/lib/ld-musl-arm.so.1"; empty: it has none.
func (f *File) Interpreter() string {
	s, ok := f.Segment(Interp)
	if !ok {
		return ""
	}
	return word(f.bytes(s.Offset, s.Size, 512), 0)
}
