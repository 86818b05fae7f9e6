package payload

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The major types of RFC 8949 section 3.1 that payloads have, in the place where the first byte holds them.
const (
	positiveMajor = 0 << 5
	negativeMajor = 1 << 5
	bytesMajor    = 2 << 5
	textMajor     = 3 << 5
	listMajor     = 4 << 5
	mapMajor      = 5 << 5
)

// pow10 is what a number is divided by for its decimals.
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6}

// headSize is how many bytes the head of an item with this argument has.
func headSize(argument int) int {
	switch {
	case argument < 24:
		return 1
	case argument < 1<<8:
		return 2
	case argument < 1<<16:
		return 3
	}
	return 5
}

// putHead writes a head of headSize bytes.
func putHead(b []byte, major byte, argument int) {
	switch headSize(argument) {
	case 1:
		b[0] = major | byte(argument)
	case 2:
		b[0], b[1] = major|24, byte(argument)
	case 3:
		b[0] = major | 25
		binary.BigEndian.PutUint16(b[1:], uint16(argument))
	default:
		b[0] = major | 26
		binary.BigEndian.PutUint32(b[1:], uint32(argument))
	}
}

// appendHead appends a head in the shortest form.
func appendHead(dst []byte, major byte, argument uint64) []byte {
	if argument > math.MaxUint32 {
		return binary.BigEndian.AppendUint64(append(dst, major|27), argument)
	}
	size := headSize(int(argument))
	dst = append(dst, "     "[:size]...)
	putHead(dst[len(dst)-size:], major, int(argument))
	return dst
}

// appendNumberCBOR appends x / 10^decimals: an integer where there are no decimals, else a double.
func appendNumberCBOR(dst []byte, x int64, decimals int) []byte {
	switch {
	case decimals > 0:
		return appendDouble(dst, float64(x)/pow10[decimals])
	case x < 0:
		return appendHead(dst, negativeMajor, uint64(-(x + 1)))
	}
	return appendHead(dst, positiveMajor, uint64(x))
}

func appendDouble(dst []byte, x float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 7<<5|27), math.Float64bits(x))
}

func appendTextCBOR(dst []byte, s string) []byte {
	return append(appendHead(dst, textMajor, uint64(len(s))), s...)
}

// appendBareCBOR appends what is given without quotes: a number if it is one, else text.
func appendBareCBOR(dst []byte, s string) []byte {
	if out, ok := appendNumeral(dst, s); ok {
		return out
	}
	return appendTextCBOR(dst, s)
}

// appendNumeral appends a number that is written in digits: an integer if it is written as one.
func appendNumeral(dst []byte, s string) ([]byte, bool) {
	if x, err := strconv.ParseInt(s, 10, 64); err == nil {
		return appendNumberCBOR(dst, x, 0), true
	}
	if x, err := strconv.ParseUint(s, 10, 64); err == nil {
		return appendHead(dst, positiveMajor, x), true
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return dst, false
	}
	return appendDouble(dst, x), true
}

// encodeCBOR compiles a value to CBOR. With labels, keys that are among them become numbers: it is SenML.
func encodeCBOR(v value, labels map[string]int64) ([]op, error) {
	var out []op
	write := func(b []byte) { out = append(out, op{text: string(b)}) }
	switch v.kind {
	case '{', '[':
		major := byte(listMajor)
		if v.kind == '{' {
			major = mapMajor
		}
		write(appendHead(nil, major, uint64(len(v.items))))
		for i, item := range v.items {
			if v.kind == '{' {
				key := keyText(v.keys[i].pieces)
				if label, ok := labels[key]; ok {
					write(appendNumberCBOR(nil, label, 0))
				} else {
					out = append(out, encodeText(v.keys[i].pieces)...)
				}
				if labels != nil && key == "vd" {
					data, err := dataValue(item)
					if err != nil {
						return nil, err
					}
					write(data)
					continue
				}
			}
			ops, err := encodeCBOR(item, labels)
			if err != nil {
				return nil, err
			}
			out = append(out, ops...)
		}
	case '"':
		out = encodeText(v.pieces)
	case '0':
		b, ok := appendNumeral(nil, v.text)
		if !ok {
			return nil, fmt.Errorf("%.20s is too large a number for CBOR", v.text)
		}
		write(b)
	case 'w':
		o := opOf(v.word)
		o.item = true
		out = append(out, o)
	case 'f':
		write([]byte{0xf4})
	case 't':
		write([]byte{0xf5})
	default:
		write([]byte{0xf6})
	}
	return out, nil
}

// encodeText compiles a text string.
func encodeText(pieces []piece) []op {
	if len(pieces) == 0 || len(pieces) == 1 && pieces[0].word == nil {
		return []op{{text: string(appendTextCBOR(nil, plainText(pieces)))}}
	}
	out := []op{{kind: openText}}
	for _, p := range pieces {
		if p.word != nil {
			out = append(out, opOf(*p.word))
		} else {
			out = append(out, op{text: p.text})
		}
	}
	return append(out, op{kind: closeText})
}

// plainText is a text without its words.
func plainText(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}

// keyText is a key as it can be known by; one with words is none that is.
func keyText(pieces []piece) string {
	for _, p := range pieces {
		if p.word != nil {
			return ""
		}
	}
	return plainText(pieces)
}

// dataValue is the data of a SenML record, in base64url as JSON has it, as a byte string.
func dataValue(v value) ([]byte, error) {
	for _, p := range v.pieces {
		if p.word != nil {
			return nil, fmt.Errorf("{%s} in vd: data is sent as bytes in SenML of CBOR, and cannot hold it; use vs", p.word.Name)
		}
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(plainText(v.pieces), "="))
	if err != nil {
		return nil, fmt.Errorf("vd is not base64url: %w", err)
	}
	return append(appendHead(nil, bytesMajor, uint64(len(data))), data...), nil
}
