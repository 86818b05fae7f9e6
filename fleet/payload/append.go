package payload

import (
	"math/bits"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// room is where a payload still grows after its pieces are there.
type room struct {
	fill int // where the filling goes; -1: nowhere
	text int // CBOR: where the string with the filling begins; -1: there is none
	size int // CBOR: its length without the filling
}

// Append appends a payload.
func (t *Template) Append(dst []byte, v *Vars) []byte {
	begin, text := len(dst), 0
	grows := room{fill: -1, text: -1}
	for i := range t.ops {
		o := &t.ops[i]
		switch o.kind {
		case literal:
			dst = append(dst, o.text...)
		case stamp:
			dst = AppendStamp(dst, v.Stamp)
		case canary:
			dst = AppendCanary(dst, Canary{v.Stamp.Run, v.Stamp.Tenant})
		case id:
			dst = o.appendText(dst, v.ID)
		case class:
			dst = o.appendText(dst, v.Class)
		case given:
			dst = o.appendText(dst, v.Values[o.given])
		case fill:
			grows.fill = len(dst)
		case openText:
			text = len(dst)
		case closeText:
			if grows.fill >= text && grows.text < 0 {
				grows.text, grows.size = text, len(dst)-text
				continue
			}
			size := len(dst) - text
			dst = insert(dst, text, headSize(size))
			putHead(dst[text:], textMajor, size)
		default:
			dst = o.appendNumber(dst, v)
		}
	}
	if grows.fill < 0 {
		return dst
	}
	return t.grow(dst, begin, grows)
}

// grow fills a payload up to its size.
func (t *Template) grow(dst []byte, begin int, r room) []byte {
	need := t.size - (len(dst) - begin)
	if r.text < 0 {
		return filled(dst, r.fill, max(0, need))
	}
	// The head of the string counts as well, and grows with it. Where no filling gives the exact size it is a byte less.
	most := max(0, need-1)
	for most > 0 && most+headSize(r.size+most) > need {
		most--
	}
	dst = filled(dst, r.fill, most)
	dst = insert(dst, r.text, headSize(r.size+most))
	putHead(dst[r.text:], textMajor, r.size+most)
	return dst
}

// filling is what fills; it has no sign that any encoding escapes, and none with which a mark begins.
const filling = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_"

func filled(dst []byte, at, size int) []byte {
	dst = insert(dst, at, size)
	for to := dst[at : at+size]; len(to) > 0; {
		to = to[copy(to, filling):]
	}
	return dst
}

// insert makes room for size bytes.
func insert(dst []byte, at, size int) []byte {
	end := len(dst)
	dst = slices.Grow(dst, size)[:end+size]
	copy(dst[at+size:], dst[at:end])
	return dst
}

const plainSigns = 0x20 // from here on signs stand in JSON as they are, but for two

// appendText appends a text that is given from outside, so that it stays one string where it stands in a string of JSON.
func (o *op) appendText(dst []byte, s string) []byte {
	if o.kind == given && o.item {
		return appendBareCBOR(dst, s)
	}
	if !o.quoted {
		return append(dst, s...)
	}
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= plainSigns && c != '"' && c != '\\' && c < utf8.RuneSelf {
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size - 1
				continue
			}
			dst = append(append(dst, s[from:i]...), "\ufffd"...)
			from = i + 1
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		if c >= plainSigns {
			dst = append(dst, '\\', c)
			continue
		}
		const hex = "0123456789abcdef"
		dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return append(dst, s[from:]...)
}

// appendNumber appends a number in digits, or as CBOR has it.
func (o *op) appendNumber(dst []byte, v *Vars) []byte {
	x, decimals := o.value(v)
	if o.item {
		return appendNumberCBOR(dst, x, decimals)
	}
	return appendDigits(dst, x, max(o.word.Width, decimals+1), decimals)
}

// value is the number for a word, as a whole number of units of the last decimal.
func (o *op) value(v *Vars) (x int64, decimals int) {
	switch o.kind {
	case n:
		return int64(v.N), 0
	case tenant:
		return int64(v.Stamp.Tenant), 0
	case child:
		return int64(v.Child), 0
	case seq:
		return int64(v.Stamp.Seq), 0
	case seconds:
		return v.Time / 1000, 3
	case millis:
		return v.Time / 1000, 0
	case ramp:
		period := int64(o.word.Period / time.Microsecond)
		at := float64(v.Time%period) / float64(period)
		return o.word.Low + int64(float64(o.word.High-o.word.Low)*at), o.word.Decimals
	}
	span, _ := bits.Mul64(draw(v, o.ordinal), uint64(o.word.High-o.word.Low)+1)
	return o.word.Low + int64(span), o.word.Decimals
}

// draw is chance that is the same for the same message of the same seed.
func draw(v *Vars, ordinal int) uint64 {
	x := v.Seed + 0x9e3779b97f4a7c15*uint64(ordinal)
	x ^= uint64(v.Stamp.Source)<<32 | uint64(v.Stamp.Seq)
	for range 2 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return x
}

// appendDigits appends x / 10^decimals, with at least as many digits as the width says.
func appendDigits(dst []byte, x int64, width, decimals int) []byte {
	if x < 0 {
		dst = append(dst, '-')
		x = -x
	}
	begin := len(dst)
	dst = strconv.AppendInt(dst, x, 10)
	if short := width - (len(dst) - begin); short > 0 {
		dst = insert(dst, begin, short)
		for i := range short {
			dst[begin+i] = '0'
		}
	}
	if decimals > 0 {
		at := len(dst) - decimals
		dst = insert(dst, at, 1)
		dst[at] = '.'
	}
	return dst
}
