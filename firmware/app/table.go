package app

import "encoding/binary"

// Resources are those of a package: what references lead to.
type Resources interface {
	// Lookup gives the values of a resource in all configurations, the default one first where there is one.
	Lookup(id uint32) []Value
}

// Resolve follows references to a value that is none, through at most eight steps. Of several values it gives the first.
func Resolve(v Value, r Resources) Value {
	for range 8 {
		if v.Kind != Reference || r == nil {
			return v
		}
		all := r.Lookup(v.Number)
		if len(all) == 0 {
			return v
		}
		v = all[0]
	}
	return v
}

const (
	mostValues  = 64     // of a resource
	mostStretch = 20_000 // lists of entries of a table
)

// Table is a resources.arsc (ResourceTypes.h, ResTable).
type Table struct {
	pool  *texts
	lists []entries
}

// entries are those of one type in one configuration.
type entries struct {
	id      uint32 // of the package and type, the upper 16 bits of resource ids
	chunk   chunk
	neutral bool // for the default configuration
}

// ParseTable reads a resource table. Its entries are read when they are asked for.
func ParseTable(data []byte) (*Table, error) {
	if len(data) < 12 || binary.LittleEndian.Uint16(data) != chunkTable {
		return nil, errNot
	}
	budget := mostText
	t := &Table{}
	err := chunks(data, int(binary.LittleEndian.Uint16(data[2:])), func(c chunk) bool {
		switch {
		case c.kind == chunkStrings && t.pool == nil:
			t.pool = readTexts(c, &budget)
		case c.kind == chunkPackage && c.head >= 12:
			t.readPackage(c)
		}
		return len(t.lists) < mostStretch
	})
	return t, err
}

func (t *Table) readPackage(c chunk) {
	id := binary.LittleEndian.Uint32(c.data[8:])
	if id == 0 {
		id = 0x7f // a shared library, which gets its number where it is installed
	}
	_ = chunks(c.data, c.head, func(e chunk) bool { // what is broken ends the list
		if e.kind != chunkEntries || e.head < 24 {
			return true
		}
		configSize := int(binary.LittleEndian.Uint32(e.data[20:]))
		neutral := true
		for i := 24; i < 20+configSize && i < e.head; i++ {
			neutral = neutral && e.data[i] == 0
		}
		t.lists = append(t.lists, entries{id<<24 | uint32(e.data[8])<<16, e, neutral})
		return len(t.lists) < mostStretch
	})
}

// Lookup gives the values of a resource.
func (t *Table) Lookup(id uint32) (list []Value) {
	if t == nil {
		return nil
	}
	for _, l := range t.lists {
		if l.id != id&0xffff0000 || len(list) >= mostValues {
			continue
		}
		v, ok := l.entry(id&0xffff, t.pool)
		switch {
		case !ok:
		case l.neutral:
			list = append([]Value{v}, list...)
		default:
			list = append(list, v)
		}
	}
	return list
}

// entry reads the value of one. Those with several (styles, arrays) are not told.
func (l entries) entry(index uint32, pool *texts) (Value, bool) {
	b, head := l.chunk.data, l.chunk.head
	const (
		sparse  = 1
		short   = 2
		complex = 1
		compact = 8
	)
	flags, count, start := b[9], binary.LittleEndian.Uint32(b[12:]), uint64(binary.LittleEndian.Uint32(b[16:]))
	table := b[head:]
	offset := uint64(noText)
	switch {
	case flags&sparse != 0:
		for i := uint32(0); i < count && int(i+1)*4 <= len(table); i++ {
			if uint32(binary.LittleEndian.Uint16(table[4*i:])) == index {
				offset = 4 * uint64(binary.LittleEndian.Uint16(table[4*i+2:]))
				break
			}
		}
	case index >= count:
	case flags&short != 0 && int(index+1)*2 <= len(table):
		if o := binary.LittleEndian.Uint16(table[2*index:]); o != 0xffff {
			offset = 4 * uint64(o)
		}
	case flags&short == 0 && int(index+1)*4 <= len(table):
		offset = uint64(binary.LittleEndian.Uint32(table[4*index:]))
	}
	at := start + offset
	if offset == noText || at+8 > uint64(len(b)) {
		return Value{}, false
	}
	e := b[at:]
	size, entryFlags := uint64(binary.LittleEndian.Uint16(e)), binary.LittleEndian.Uint16(e[2:])
	if entryFlags&compact != 0 {
		return value([]byte{8, 0, 0, byte(entryFlags >> 8), e[4], e[5], e[6], e[7]}, pool), true
	}
	if entryFlags&complex != 0 || size < 8 || size+8 > uint64(len(e)) {
		return Value{}, false
	}
	return value(e[size:], pool), true
}
