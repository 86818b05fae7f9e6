package image

import (
	"bytes"
	"encoding/binary"
)

// ELF is a small file of that format, with what linkers say of a program and without code: it cannot be run.
type ELF struct {
	Wide        bool // 64 bits
	Big         bool // big-endian
	Machine     uint16
	Fixed       bool   // at a fixed address: no PIE
	Interpreter string // empty: none
	Stack       int    // PT_GNU_STACK: StackPlain, StackExecutable, StackUnmarked
	RELRO, Now  bool
	Needed      []string
	Imports     []string // functions
	RPath       string
	RunPath     string
	Symbols     []string // of the table that strip takes away; nil: it is stripped, and so are the sections
	Data        string   // constants
}

// The stacks of an ELF.
const (
	StackPlain = iota
	StackExecutable
	StackUnmarked
)

const (
	elfBase = 0x10000
	elfPage = 0x1000
)

// elfWriter writes fields whose size depends on the class.
type elfWriter struct {
	bytes.Buffer
	e     *ELF
	order binary.AppendByteOrder
}

func (w *elfWriter) u16(v int)    { w.Write(w.order.AppendUint16(nil, uint16(v))) }
func (w *elfWriter) u32(v uint32) { w.Write(w.order.AppendUint32(nil, v)) }

func (w *elfWriter) address(v int) {
	if w.e.Wide {
		w.Write(w.order.AppendUint64(nil, uint64(v)))
		return
	}
	w.u32(uint32(v))
}

// segment writes a program header for a stretch that lies in memory as in the file.
func (w *elfWriter) segment(kind, flags uint32, at, size int) {
	w.u32(kind)
	if w.e.Wide {
		w.u32(flags)
	}
	w.address(at)
	w.address(elfBase + at)
	w.address(elfBase + at)
	w.address(size)
	w.address(size)
	if !w.e.Wide {
		w.u32(flags)
	}
	w.address(elfPage)
}

// section writes a section header.
func (w *elfWriter) section(name, kind, at, size, link, each int) {
	w.u32(uint32(name))
	w.u32(uint32(kind))
	w.address(0)
	w.address(0)
	w.address(at)
	w.address(size)
	w.u32(uint32(link))
	w.u32(0)
	w.address(1)
	w.address(each)
}

// symbol writes an entry of a table of symbols.
func (w *elfWriter) symbol(name int, global bool, section int) {
	info := byte(2) // a function
	if global {
		info |= 1 << 4
	}
	w.u32(uint32(name))
	if w.e.Wide {
		w.Write([]byte{info, 0})
		w.u16(section)
		w.address(0)
		w.address(0)
		return
	}
	w.u32(0)
	w.u32(0)
	w.Write([]byte{info, 0})
	w.u16(section)
}

// texts is a table of strings.
type texts struct{ bytes.Buffer }

func (t *texts) add(s string) (at int) {
	if t.Len() == 0 {
		t.WriteByte(0)
	}
	at = t.Len()
	t.WriteString(s + "\x00")
	return at
}

// writer is a writer in the byte order of the file.
func (e *ELF) writer() *elfWriter {
	w := &elfWriter{e: e, order: binary.LittleEndian}
	if e.Big {
		w.order = binary.BigEndian
	}
	return w
}

// Bytes is the file.
func (e *ELF) Bytes() []byte {
	headSize, segmentSize := 52, 32
	if e.Wide {
		headSize, segmentSize = 64, 56
	}
	segments := 2 // to be loaded, dynamic
	for _, has := range []bool{e.Interpreter != "", e.Stack != StackUnmarked, e.RELRO} {
		if has {
			segments++
		}
	}
	at := headSize + segments*segmentSize
	body := e.writer()
	here := func() int { return at + body.Len() }
	interp := here()
	if e.Interpreter != "" {
		body.WriteString(e.Interpreter + "\x00")
	}
	interpSize := here() - interp
	body.WriteString(e.Data)
	for here()%8 != 0 {
		body.WriteByte(0)
	}
	dynamic, dynamicSize := e.linking(body, at)
	loaded := here()
	sections, count := e.sections(body, at)

	head := e.writer()
	head.WriteString("\x7fELF")
	head.Write([]byte{1 + byte(segmentSize/56), 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	if e.Big {
		head.Bytes()[5] = 2
	}
	kind := 3
	if e.Fixed {
		kind = 2
	}
	head.u16(kind)
	head.u16(int(e.Machine))
	head.u32(1)
	head.address(elfBase)
	head.address(headSize)
	head.address(sections)
	head.u32(0)
	for _, n := range []int{headSize, segmentSize, segments, 40 + 24*(segmentSize/56), count, max(0, count-1)} {
		head.u16(n)
	}
	if e.Interpreter != "" {
		head.segment(3, 4, interp, interpSize)
	}
	head.segment(1, 5, 0, loaded)
	head.segment(2, 6, dynamic, dynamicSize)
	if e.Stack != StackUnmarked {
		head.segment(0x6474e551, 6+uint32(e.Stack), 0, 0)
	}
	if e.RELRO {
		head.segment(0x6474e552, 4, dynamic, dynamicSize)
	}
	return append(head.Bytes(), body.Bytes()...)
}

// linking writes what the dynamic linker reads: symbols, a hash table that tells their number, strings and the dynamic section. Base is
// where the body begins in the file.
func (e *ELF) linking(body *elfWriter, base int) (at, size int) {
	here := func() int { return base + body.Len() }
	var text texts
	symbols := here()
	body.symbol(0, false, 0)
	for _, name := range e.Imports {
		body.symbol(text.add(name), true, 0)
	}
	hash := here()
	body.u32(1)
	body.u32(uint32(1 + len(e.Imports)))
	for range 2 + len(e.Imports) { // one bucket and all chains: empty, since nothing is defined
		body.u32(0)
	}
	type tag struct{ tag, value int }
	var tags []tag
	for _, name := range e.Needed {
		tags = append(tags, tag{1, text.add(name)})
	}
	if e.RPath != "" {
		tags = append(tags, tag{15, text.add(e.RPath)})
	}
	if e.RunPath != "" {
		tags = append(tags, tag{29, text.add(e.RunPath)})
	}
	flags1 := 0
	if e.Now {
		tags = append(tags, tag{30, 8})
		flags1 |= 1
	}
	if !e.Fixed && e.Interpreter != "" {
		flags1 |= 0x08000000
	}
	text.add("")
	strings := here()
	body.Write(text.Bytes())
	for here()%8 != 0 {
		body.WriteByte(0)
	}
	each := 16
	if e.Wide {
		each = 24
	}
	tags = append(tags, tag{4, elfBase + hash}, tag{5, elfBase + strings}, tag{6, elfBase + symbols}, tag{10, text.Len()}, tag{11, each}, tag{0x6ffffffb, flags1}, tag{0, 0})
	at = here()
	for _, t := range tags {
		body.address(t.tag)
		body.address(t.value)
	}
	return at, here() - at
}

// sections writes the table of symbols and the section headers; none of a file that is stripped.
func (e *ELF) sections(body *elfWriter, base int) (at, count int) {
	if e.Symbols == nil {
		return 0, 0
	}
	here := func() int { return base + body.Len() }
	var text, names texts
	symbols := here()
	body.symbol(0, false, 0)
	for _, name := range e.Symbols {
		body.symbol(text.add(name), false, 0xfff1)
	}
	symbolsSize := here() - symbols
	strings := here()
	text.add("")
	body.Write(text.Bytes())
	symtab, strtab, shstrtab := names.add(".symtab"), names.add(".strtab"), names.add(".shstrtab")
	namesAt := here()
	body.Write(names.Bytes())
	for here()%8 != 0 {
		body.WriteByte(0)
	}
	each := 16
	if e.Wide {
		each = 24
	}
	at = here()
	body.section(0, 0, 0, 0, 0, 0)
	body.section(symtab, 2, symbols, symbolsSize, 2, each)
	body.section(strtab, 3, strings, text.Len(), 0, 0)
	body.section(shstrtab, 3, namesAt, names.Len(), 0, 0)
	return at, 4
}
