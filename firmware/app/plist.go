package app

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Dict is a dictionary of a property list. Its values are Dict, []any, string, int64, float64, bool, time.Time and []byte.
type Dict map[string]any

// Text gives the string of a key, or none.
func (d Dict) Text(key string) string {
	s, _ := d[key].(string)
	return s
}

// Texts gives the strings of an array, or of a single one.
func (d Dict) Texts(key string) (list []string) {
	switch v := d[key].(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				list = append(list, s)
			}
		}
	}
	return list
}

// True reports whether a key is there and true.
func (d Dict) True(key string) bool {
	b, _ := d[key].(bool)
	return b
}

// Dict gives the dictionary of a key, or none.
func (d Dict) Dict(key string) Dict {
	v, _ := d[key].(Dict)
	return v
}

const mostObjects = 200_000 // of a property list

// ParsePlist reads a property list whose root is a dictionary, in XML or in the binary form (CFBinaryPList.c of Apple's CoreFoundation).
func ParsePlist(data []byte) (Dict, error) {
	if bytes.HasPrefix(data, []byte("bplist0")) {
		return parseBinaryPlist(data)
	}
	return parseXMLPlist(data)
}

var errPlist = errors.New("not a property list with a dictionary")

// binaryPlist is one that is being read.
type binaryPlist struct {
	data    []byte
	offsets []byte // the table
	size    int    // of an offset
	refSize int    // of a reference to an object
	count   uint64
	left    int // objects that may still be read
	text    int // bytes of text that may still be made
}

func parseBinaryPlist(data []byte) (Dict, error) {
	const trailer = 32
	if len(data) < 8+trailer {
		return nil, errPlist
	}
	t := data[len(data)-trailer:]
	p := &binaryPlist{data: data[:len(data)-trailer], size: int(t[6]), refSize: int(t[7]), count: binary.BigEndian.Uint64(t[8:]), left: mostObjects, text: mostText}
	top, table := binary.BigEndian.Uint64(t[16:]), binary.BigEndian.Uint64(t[24:])
	if p.size < 1 || p.size > 8 || p.refSize < 1 || p.refSize > 8 || table > uint64(len(p.data)) || p.count > (uint64(len(p.data))-table)/uint64(p.size) {
		return nil, errPlist
	}
	p.offsets = p.data[table:]
	v, err := p.object(top, 0)
	if err != nil {
		return nil, err
	}
	d, ok := v.(Dict)
	if !ok {
		return nil, errPlist
	}
	return d, nil
}

func unsigned(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func (p *binaryPlist) object(ref uint64, level int) (any, error) {
	if p.left--; p.left < 0 || level > depth || ref >= p.count {
		return nil, errPlist
	}
	at := unsigned(p.offsets[ref*uint64(p.size):][:p.size])
	if at >= uint64(len(p.data)) {
		return nil, errPlist
	}
	b := p.data[at:]
	kind, n := b[0]>>4, uint64(b[0]&15)
	b = b[1:]
	switch kind {
	case 0x0:
		return n == 9, nil // 8: false, 0: null
	case 0x1, 0x2, 0x3, 0x8:
		size := uint64(1) << (n & 7)
		if kind == 0x8 {
			size = n + 1
		}
		if size > 16 || size > uint64(len(b)) {
			return nil, errPlist
		}
		return scalar(kind, unsigned(b[max(0, int(size)-8):size]), size), nil
	}
	if n == 15 { // the length is an integer of its own
		if len(b) < 1 || b[0]>>4 != 1 || b[0]&15 > 3 || len(b) < 1+1<<(b[0]&15) {
			return nil, errPlist
		}
		size := 1 << (b[0] & 15)
		n, b = unsigned(b[1:1+size]), b[1+size:]
	}
	switch kind {
	case 0x4, 0x5, 0x6, 0x7:
		return p.run(kind, n, b)
	case 0xa, 0xc:
		return p.array(n, b, level)
	case 0xd:
		return p.dict(n, b, level)
	}
	return nil, errPlist
}

// appleEpoch is where the dates of property lists begin.
var appleEpoch = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

func scalar(kind byte, n, size uint64) any {
	real := math.Float64frombits(n)
	if size == 4 {
		real = float64(math.Float32frombits(uint32(n)))
	}
	switch kind {
	case 0x2:
		return real
	case 0x3:
		if math.IsNaN(real) || math.Abs(real) > 1e11 {
			return time.Time{}
		}
		return time.Unix(appleEpoch.Unix()+int64(real), 0).UTC()
	}
	return int64(n)
}

// run reads data and strings.
func (p *binaryPlist) run(kind byte, n uint64, b []byte) (any, error) {
	size := n
	if kind == 0x6 {
		size = 2 * n
	}
	if n > uint64(len(b)) || size > uint64(len(b)) || size > uint64(p.text) {
		return nil, errPlist
	}
	p.text -= int(size)
	b = b[:size]
	switch kind {
	case 0x4:
		return bytes.Clone(b), nil
	case 0x6:
		units := make([]uint16, n)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		return string(utf16.Decode(units)), nil
	}
	return utf8(b), nil
}

func (p *binaryPlist) refs(n uint64, b []byte) error {
	if n > uint64(len(b))/uint64(p.refSize) || n > uint64(p.left) {
		return errPlist
	}
	return nil
}

func (p *binaryPlist) array(n uint64, b []byte, level int) (any, error) {
	if err := p.refs(n, b); err != nil {
		return nil, err
	}
	list := []any{}
	for i := range int(n) {
		v, err := p.object(unsigned(b[i*p.refSize:][:p.refSize]), level+1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (p *binaryPlist) dict(n uint64, b []byte, level int) (any, error) {
	if n > uint64(len(b)) || p.refs(2*n, b) != nil {
		return nil, errPlist
	}
	d := Dict{}
	for i := range int(n) {
		key, err := p.object(unsigned(b[i*p.refSize:][:p.refSize]), level+1)
		if err != nil {
			return nil, err
		}
		v, err := p.object(unsigned(b[(int(n)+i)*p.refSize:][:p.refSize]), level+1)
		if err != nil {
			return nil, err
		}
		if s, ok := key.(string); ok {
			d[s] = v
		}
	}
	return d, nil
}

func parseXMLPlist(data []byte) (Dict, error) {
	x := &xmlPlist{Decoder: xml.NewDecoder(bytes.NewReader(data)), left: mostObjects}
	x.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		token, err := x.Token()
		if err != nil {
			return nil, errPlist
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok || start.Name.Local == "plist":
		case start.Name.Local == "dict":
			v, err := x.value(start, 0)
			d, _ := v.(Dict)
			return d, err
		default:
			return nil, errPlist
		}
	}
}

// xmlPlist is one that is being read.
type xmlPlist struct {
	*xml.Decoder
	left int
}

func (x *xmlPlist) value(start xml.StartElement, level int) (any, error) {
	if x.left--; x.left < 0 || level > depth {
		return nil, errPlist
	}
	switch start.Name.Local {
	case "dict", "array":
		return x.collection(start.Name.Local == "dict", level)
	}
	text, err := x.text()
	if err != nil {
		return nil, err
	}
	switch start.Name.Local {
	case "true", "false":
		return start.Name.Local == "true", nil
	case "integer":
		n, _ := strconv.ParseInt(strings.TrimSpace(text), 0, 64)
		return n, nil
	case "real":
		f, _ := strconv.ParseFloat(strings.TrimSpace(text), 64)
		return f, nil
	case "date":
		t, _ := time.Parse(time.RFC3339, strings.TrimSpace(text))
		return t, nil
	case "data":
		b, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		return b, nil
	}
	return text, nil
}

func (x *xmlPlist) collection(dict bool, level int) (any, error) {
	d, list, key := Dict{}, []any{}, ""
	for {
		token, err := x.Token()
		if err != nil {
			return nil, errPlist
		}
		switch t := token.(type) {
		case xml.EndElement:
			if dict {
				return d, nil
			}
			return list, nil
		case xml.StartElement:
			if dict && t.Name.Local == "key" {
				if key, err = x.text(); err != nil {
					return nil, err
				}
				continue
			}
			v, err := x.value(t, level+1)
			if err != nil {
				return nil, err
			}
			if dict {
				d[key] = v
			} else {
				list = append(list, v)
			}
		}
	}
}

// text reads until the element ends.
func (x *xmlPlist) text() (string, error) {
	var b strings.Builder
	for {
		token, err := x.Token()
		if err != nil {
			return "", errPlist
		}
		switch t := token.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.EndElement:
			return b.String(), nil
		case xml.StartElement:
			return "", errPlist
		}
	}
}
