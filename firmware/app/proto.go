package app

import (
	"encoding/binary"
	"strings"
)

// field is one of a protobuf message: a number, or bytes.
type field struct {
	id     int
	number uint64
	data   []byte
}

// fields walks through those of a message, until yield says no.
func fields(b []byte, yield func(field) bool) error {
	for at := 0; at < len(b); {
		key, n := binary.Uvarint(b[at:])
		if n <= 0 || key>>3 == 0 || key>>3 > 1<<29 {
			return bad("a field cannot be read", at)
		}
		at += n
		f := field{id: int(key >> 3)}
		switch key & 7 {
		case 0:
			f.number, n = binary.Uvarint(b[at:])
			if n <= 0 {
				return bad("a number cannot be read", at)
			}
			at += n
		case 1, 5:
			size := 8
			if key&7 == 5 {
				size = 4
			}
			if len(b)-at < size {
				return bad("a number is cut", at)
			}
			at += size
		case 2:
			size, n := binary.Uvarint(b[at:])
			if n <= 0 || size > uint64(len(b)-at-n) {
				return bad("a string is cut", at)
			}
			at += n
			f.data = b[at : at+int(size)]
			at += int(size)
		default:
			return bad("a field of an unknown sort", at)
		}
		if !yield(f) {
			return nil
		}
	}
	return nil
}

// ParseProtoXML reads an XmlNode of Resources.proto of aapt2, as in an app bundle.
func ParseProtoXML(data []byte) (*Element, error) {
	if len(data) == 0 {
		return nil, errNot
	}
	var root *Element
	err := fields(data, func(f field) bool {
		if f.id == 1 && root == nil {
			root = protoElement(f.data, 0)
		}
		return true
	})
	if root == nil && err == nil {
		err = errNot
	}
	return root, err
}

func protoElement(b []byte, level int) *Element {
	e := &Element{}
	_ = fields(b, func(f field) bool { // what is broken ends the element
		switch f.id {
		case 3:
			e.Name = utf8(f.data)
		case 4:
			e.Attrs = append(e.Attrs, protoAttr(f.data))
		case 5:
			_ = fields(f.data, func(c field) bool {
				switch {
				case c.id == 1 && level < depth:
					e.Children = append(e.Children, protoElement(c.data, level+1))
				case c.id == 2 && e.Text == "":
					e.Text = strings.TrimSpace(utf8(c.data))
				}
				return true
			})
		}
		return true
	})
	return e
}

func protoAttr(b []byte) (a Attr) {
	text := ""
	_ = fields(b, func(f field) bool {
		switch f.id {
		case 1:
			a.Space = utf8(f.data)
		case 2:
			a.Name = utf8(f.data)
		case 3:
			text = utf8(f.data)
		case 5:
			a.ID = uint32(f.number)
		case 6:
			a.Value, _ = protoItem(f.data)
		}
		return true
	})
	if a.Value.Kind == Null {
		a.Value.Kind = Text
	}
	if a.Value.Text == "" {
		a.Value.Text = text
	}
	return a
}

// protoItem reads an Item: a reference, a string, a file or a primitive.
func protoItem(b []byte) (v Value, ok bool) {
	_ = fields(b, func(f field) bool {
		switch f.id {
		case 1:
			v.Kind, ok = Reference, true
			_ = fields(f.data, func(r field) bool {
				if r.id == 2 {
					v.Number = uint32(r.number)
				}
				return true
			})
		case 2, 3, 5: // String, RawString, FileReference: their text is the first field
			v.Kind, ok = Text, true
			_ = fields(f.data, func(s field) bool {
				if s.id == 1 {
					v.Text = utf8(s.data)
				}
				return true
			})
		case 7:
			ok = true
			_ = fields(f.data, func(p field) bool {
				switch p.id {
				case 6, 7:
					v.Kind, v.Number = Number, uint32(p.number)
				case 8:
					v.Kind, v.Number = Boolean, uint32(p.number)
				default:
					v.Kind = Other
				}
				return true
			})
		}
		return true
	})
	return v, ok
}

// ProtoTable is a resources.pb of an app bundle, a ResourceTable of Resources.proto. It is walked through for every question, of which it
// answers a limited number.
type ProtoTable struct {
	data  []byte
	asked int
}

// ParseProtoTable takes a resource table; what it holds shows when it is asked.
func ParseProtoTable(data []byte) *ProtoTable { return &ProtoTable{data: data} }

const mostQuestions = 200

// Lookup gives the values of a resource.
func (t *ProtoTable) Lookup(id uint32) (list []Value) {
	if t.asked++; t.asked > mostQuestions {
		return nil
	}
	each(t.data, 2, 1, id>>24, func(pkg []byte) {
		each(pkg, 3, 1, id>>16&0xff, func(kind []byte) {
			each(kind, 3, 1, id&0xffff, func(entry []byte) {
				_ = fields(entry, func(f field) bool {
					if f.id == 6 && len(list) < mostValues {
						list = append(list, configured(f.data)...)
					}
					return true
				})
			})
		})
	})
	return list
}

// configured is the value of a ConfigValue, if it is a simple one.
func configured(b []byte) (list []Value) {
	_ = fields(b, func(f field) bool {
		if f.id == 2 {
			_ = fields(f.data, func(v field) bool {
				if v.id == 4 {
					if item, ok := protoItem(v.data); ok {
						list = append(list, item)
					}
				}
				return true
			})
		}
		return true
	})
	return list
}

// each calls found with the sub-messages of a field whose id, a message of one number, is the one wanted. An id of zero is not written.
func each(b []byte, list, idField int, id uint32, found func([]byte)) {
	_ = fields(b, func(f field) bool {
		if f.id != list {
			return true
		}
		var got uint64
		_ = fields(f.data, func(g field) bool {
			if g.id == idField && g.data != nil {
				_ = fields(g.data, func(n field) bool {
					got = n.number
					return true
				})
			}
			return g.id != idField
		})
		if got == uint64(id) {
			found(f.data)
		}
		return true
	})
}

func utf8(b []byte) string { return strings.ToValidUTF8(string(b), "\ufffd") }
