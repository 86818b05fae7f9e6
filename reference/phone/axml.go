package phone

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf16"
)

// element is one of an XML document of Android.
type element struct {
	name     string
	attrs    []attribute
	text     string
	children []element
}

// attribute is one of an element. Its value is a text, or a number of a kind (Res_value of ResourceTypes.h).
type attribute struct {
	name string
	kind byte
	n    uint32
	text string
}

const (
	kindReference = 0x01
	kindText      = 0x03
	kindDecimal   = 0x10
	kindHex       = 0x11
	kindBoolean   = 0x12
)

const android = "http://schemas.android.com/apk/res/android"

// ids are the resource ids of the attributes that Android defines; others have no name space.
var ids = map[string]uint32{
	"name": 0x01010003, "permission": 0x01010006, "debuggable": 0x0101000f, "exported": 0x01010010, "minSdkVersion": 0x0101020c,
	"versionCode": 0x0101021b, "versionName": 0x0101021c, "targetSdkVersion": 0x01010270, "maxSdkVersion": 0x01010271,
	"usesCleartextTraffic": 0x010104ec, "networkSecurityConfig": 0x01010527, "foregroundServiceType": 0x01010599,
	"usesPermissionFlags": 0x01010644,
}

func text(name, value string) attribute { return attribute{name, kindText, 0, value} }

func decimal(name string, n int) attribute { return attribute{name, kindDecimal, uint32(n), ""} }

func flag(name string, is bool) attribute {
	a := attribute{name, kindBoolean, 0, ""}
	if is {
		a.n = 0xffffffff
	}
	return a
}

// pool is a table of strings that grows.
type pool []string

func (p *pool) add(s string) uint32 {
	if i := slices.Index(*p, s); i >= 0 {
		return uint32(i)
	}
	*p = append(*p, s)
	return uint32(len(*p) - 1)
}

// chunk puts a header of ResourceTypes.h before a body of which the first bytes belong to the header.
func chunk(kind uint16, head int, body []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, uint16(8+head))
	b = binary.LittleEndian.AppendUint32(b, uint32(8+len(body)))
	return append(b, body...)
}

func words(list ...uint32) (b []byte) {
	for _, n := range list {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func (p pool) chunk() []byte {
	var offsets, data []byte
	for _, s := range p {
		offsets = binary.LittleEndian.AppendUint32(offsets, uint32(len(data)))
		units := utf16.Encode([]rune(s))
		data = binary.LittleEndian.AppendUint16(data, uint16(len(units)))
		for _, u := range units {
			data = binary.LittleEndian.AppendUint16(data, u)
		}
		data = append(data, 0, 0)
	}
	for len(data)%4 != 0 {
		data = append(data, 0)
	}
	const head = 20
	return chunk(0x0001, head, slices.Concat(words(uint32(len(p)), 0, 0, uint32(8+head+len(offsets)), 0), offsets, data))
}

const none = 0xffffffff

// binaryXML is a document as aapt writes it.
func binaryXML(root element) []byte {
	var p pool
	var known []uint32
	var collect func(e element)
	collect = func(e element) { // attributes with an id come first: the list of ids goes along with them
		for _, a := range e.attrs {
			if id := ids[a.name]; id != 0 && int(p.add(a.name)) == len(known) {
				known = append(known, id)
			}
		}
		for _, c := range e.children {
			collect(c)
		}
	}
	collect(root)
	var b bytes.Buffer
	writeElement(&b, &p, root)
	space := words(1, none, p.add("android"), p.add(android))
	return chunk(0x0003, 0, slices.Concat(p.chunk(), chunk(0x0180, 0, words(known...)), chunk(0x0100, 8, space), b.Bytes(), chunk(0x0101, 8, space)))
}

func writeElement(b *bytes.Buffer, p *pool, e element) {
	var attrs []byte
	for _, a := range e.attrs {
		space, raw, n := uint32(none), uint32(none), a.n
		if ids[a.name] != 0 {
			space = p.add(android)
		}
		if a.kind == kindText {
			raw = p.add(a.text)
			n = raw
		}
		attrs = append(attrs, words(space, p.add(a.name), raw, uint32(a.kind)<<24|8, n)...)
	}
	name := p.add(e.name)
	const attrAt, attrSize = 20, 20
	head := slices.Concat(words(1, none, none, name, attrSize<<16|attrAt, uint32(len(e.attrs)), 0), attrs)
	b.Write(chunk(0x0102, 8, head))
	if e.text != "" {
		b.Write(chunk(0x0104, 8, words(1, none, p.add(e.text), 8, 0)))
	}
	for _, c := range e.children {
		writeElement(b, p, c)
	}
	b.Write(chunk(0x0103, 8, words(1, none, none, name)))
}

// networkConfig is the id of the one resource that the app has.
const networkConfig = 0x7f010000

// resourceTable is a table of resources with one file.
func resourceTable(file string) []byte {
	types, keys := pool{"xml"}, pool{"network_security_config"}
	const head = 4 + 256 + 20 // behind the first eight bytes: id, name, five words
	config := make([]byte, 64)
	config[0] = 64
	entry := append(binary.LittleEndian.AppendUint16(nil, 8), 0, 0)
	entry = slices.Concat(entry, words(0, kindText<<24|8, 0))
	list := slices.Concat([]byte{1, 0, 0, 0}, words(1, 8+12+64+4), config, words(0), entry)
	spec := slices.Concat([]byte{1, 0, 0, 0}, words(1, 0))
	name := make([]byte, 256)
	for i, c := range []byte("reference") {
		name[2*i] = c
	}
	body := slices.Concat(words(0x7f), name, words(8+head, 1, 8+head+uint32(len(types.chunk())), 1, 0),
		types.chunk(), keys.chunk(), chunk(0x0202, 8, spec), chunk(0x0201, 12+64, list))
	return chunk(0x0002, 4, slices.Concat(words(1), pool{file}.chunk(), chunk(0x0200, head, body)))
}
