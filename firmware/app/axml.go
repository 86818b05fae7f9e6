package app

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Chunk types of ResourceTypes.h of the Android platform.
const (
	chunkStrings  = 0x0001
	chunkTable    = 0x0002
	chunkXML      = 0x0003
	chunkStart    = 0x0102
	chunkEnd      = 0x0103
	chunkText     = 0x0104
	chunkIDs      = 0x0180
	chunkPackage  = 0x0200
	chunkEntries  = 0x0201
	chunkHeadSize = 8
)

// chunk is a stretch of a document: type, size of its header, size.
type chunk struct {
	kind uint16
	head int
	data []byte // all of it, with the header
	at   int    // in the whole document
}

// chunks walks through those that lie in data from offset from on, until yield says no. What follows a chunk that does not fit is dropped.
func chunks(data []byte, from int, yield func(chunk) bool) error {
	for at := from; at+chunkHeadSize <= len(data); {
		c := chunk{binary.LittleEndian.Uint16(data[at:]), int(binary.LittleEndian.Uint16(data[at+2:])), nil, at}
		size := binary.LittleEndian.Uint32(data[at+4:])
		if size < chunkHeadSize || uint64(size) > uint64(len(data)-at) || c.head < chunkHeadSize || c.head > int(size) {
			return bad("a chunk does not fit", at)
		}
		c.data = data[at : at+int(size)]
		if !yield(c) {
			return nil
		}
		at += int(size)
	}
	return nil
}

// texts is a pool of strings, read when they are asked for.
type texts struct {
	data   []byte // of the chunk
	count  int
	start  int // where the strings begin
	utf8   bool
	known  map[uint32]string
	budget *int // bytes that may still be made
}

func readTexts(c chunk, budget *int) *texts {
	t := &texts{data: c.data, known: map[uint32]string{}, budget: budget}
	if c.head < 28 || len(c.data) < 28 {
		return t
	}
	const isUTF8 = 1 << 8
	t.count = min(int(binary.LittleEndian.Uint32(c.data[8:])), (len(c.data)-c.head)/4)
	t.utf8 = binary.LittleEndian.Uint32(c.data[16:])&isUTF8 != 0
	t.start = int(binary.LittleEndian.Uint32(c.data[20:]))
	t.data = c.data
	t.known[noText] = ""
	return t
}

const noText = 0xffffffff

// get gives string i; one that is not there is empty.
func (t *texts) get(i uint32) string {
	if t == nil {
		return ""
	}
	if s, ok := t.known[i]; ok {
		return s
	}
	s := t.read(i)
	if len(s) > *t.budget {
		s = ""
	}
	*t.budget -= len(s)
	t.known[i] = s
	return s
}

func (t *texts) read(i uint32) string {
	if uint64(i) >= uint64(t.count) {
		return ""
	}
	head := int(binary.LittleEndian.Uint16(t.data[2:]))
	at := uint64(t.start) + uint64(binary.LittleEndian.Uint32(t.data[head+4*int(i):]))
	if at >= uint64(len(t.data)) {
		return ""
	}
	b := t.data[at:]
	if t.utf8 {
		_, b = length8(b) // in UTF-16 units
		n, b := length8(b)
		if n > len(b) || n > *t.budget {
			return ""
		}
		return strings.ToValidUTF8(string(b[:n]), "\ufffd")
	}
	if len(b) < 2 {
		return ""
	}
	n := int(binary.LittleEndian.Uint16(b))
	b = b[2:]
	if n&0x8000 != 0 && len(b) >= 2 {
		n = n&0x7fff<<16 | int(binary.LittleEndian.Uint16(b))
		b = b[2:]
	}
	if 2*n > len(b) || n > *t.budget {
		return ""
	}
	units := make([]uint16, n)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// length8 reads a length of one or two bytes.
func length8(b []byte) (int, []byte) {
	switch {
	case len(b) > 0 && b[0]&0x80 == 0:
		return int(b[0]), b[1:]
	case len(b) > 1:
		return int(b[0]&0x7f)<<8 | int(b[1]), b[2:]
	}
	return 0, nil
}

// ParseXML reads binary XML, as in the AndroidManifest.xml of an APK (ResourceTypes.h, ResXMLTree). After an error the elements read so far
// are given with it, if there is a root.
func ParseXML(data []byte) (*Element, error) {
	if len(data) < chunkHeadSize || binary.LittleEndian.Uint16(data) != chunkXML {
		return nil, errNot
	}
	var (
		budget = mostText
		pool   *texts
		ids    []byte
		root   *Element
		open   []*Element
		failed error
	)
	err := chunks(data, int(binary.LittleEndian.Uint16(data[2:])), func(c chunk) bool {
		switch c.kind {
		case chunkStrings:
			if pool == nil {
				pool = readTexts(c, &budget)
			}
		case chunkIDs:
			ids = c.data[c.head:]
		case chunkStart:
			e, err := startElement(c, pool, ids)
			if err != nil || len(open) >= depth {
				failed = bad("an element cannot be read", c.at)
				return false
			}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.Children = append(parent.Children, e)
			case root == nil:
				root = e
			}
			open = append(open, e)
		case chunkEnd:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		case chunkText:
			if len(open) > 0 && len(c.data) >= c.head+4 {
				e := open[len(open)-1]
				if s := strings.TrimSpace(pool.get(binary.LittleEndian.Uint32(c.data[c.head:]))); e.Text == "" {
					e.Text = s
				}
			}
		}
		return true
	})
	if failed == nil {
		failed = err
	}
	if root == nil && failed == nil {
		failed = bad("no element", 0)
	}
	return root, failed
}

func startElement(c chunk, pool *texts, ids []byte) (*Element, error) {
	word := func(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
	b := c.data[c.head:]
	if len(b) < 20 {
		return nil, errNot
	}
	e := &Element{Name: pool.get(word(b[4:]))}
	at, size, n := int(binary.LittleEndian.Uint16(b[8:])), int(binary.LittleEndian.Uint16(b[10:])), int(binary.LittleEndian.Uint16(b[12:]))
	if n > 0 && (size < 20 || at+n*size > len(b)) {
		return nil, errNot
	}
	for i := range n {
		a := b[at+i*size:]
		name := word(a[4:])
		attr := Attr{Space: pool.get(word(a)), Name: pool.get(name), Value: value(a[12:], pool)}
		if 4*uint64(name)+4 <= uint64(len(ids)) {
			attr.ID = word(ids[4*name:])
		}
		if attr.Value.Text == "" {
			attr.Value.Text = pool.get(word(a[8:]))
		}
		e.Attrs = append(e.Attrs, attr)
	}
	return e, nil
}

// value reads a Res_value of eight bytes.
func value(b []byte, pool *texts) Value {
	n := binary.LittleEndian.Uint32(b[4:])
	switch kind := b[3]; {
	case kind == 0x00:
		return Value{}
	case kind == 0x01 || kind == 0x07:
		return Value{Kind: Reference, Number: n}
	case kind == 0x03:
		return Value{Kind: Text, Text: pool.get(n)}
	case kind == 0x10 || kind == 0x11:
		return Value{Kind: Number, Number: n}
	case kind == 0x12:
		return Value{Kind: Boolean, Number: n}
	}
	return Value{Kind: Other, Number: n}
}
