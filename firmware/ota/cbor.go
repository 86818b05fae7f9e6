package ota

import (
	"encoding/binary"
	"errors"
)

// item is a data item of CBOR (RFC 8949).
type item struct {
	major byte
	value uint64 // of a number; of a tag its number
	bytes []byte // of a string of bytes or of text
	at    int64  // where these lie
	items []item // of an array; of a map keys and values in turn; of a tag what it stands before
}

var errCBOR = errors.New("it is not well-formed CBOR, or not of a kind that is read")

// cborReader reads items with lengths that are told. Manifests have no others.
type cborReader struct {
	b    []byte
	base int64 // offset of b
	at   int
	left int // items that may still come
}

// decode reads one item, which is all of b when whole is set.
func decode(b []byte, base int64, whole bool) (item, int, error) {
	r := cborReader{b: b, base: base, left: 10_000}
	i, err := r.item(16)
	if err == nil && whole && r.at != len(b) {
		err = errCBOR
	}
	return i, r.at, err
}

func (r *cborReader) item(depth int) (item, error) {
	if r.left--; r.left < 0 || depth < 0 || r.at >= len(r.b) {
		return item{}, errCBOR
	}
	first := r.b[r.at]
	r.at++
	i := item{major: first >> 5}
	short := first & 31
	switch {
	case short < 24:
		i.value = uint64(short)
	case short <= 27:
		n := 1 << (short - 24)
		if len(r.b)-r.at < n {
			return item{}, errCBOR
		}
		var wide [8]byte
		copy(wide[8-n:], r.b[r.at:r.at+n])
		i.value = binary.BigEndian.Uint64(wide[:])
		r.at += n
	default:
		return item{}, errCBOR
	}
	n := uint64(0)
	switch i.major {
	case 2, 3:
		if i.value > uint64(len(r.b)-r.at) {
			return item{}, errCBOR
		}
		i.at = r.base + int64(r.at)
		i.bytes = r.b[r.at : r.at+int(i.value)]
		r.at += int(i.value)
	case 4:
		n = i.value
	case 5:
		n = 2 * i.value
		if i.value > 1<<32 {
			return item{}, errCBOR
		}
	case 6:
		n = 1
	}
	if n > uint64(len(r.b)-r.at) {
		return item{}, errCBOR
	}
	for range n {
		c, err := r.item(depth - 1)
		if err != nil {
			return item{}, err
		}
		i.items = append(i.items, c)
	}
	return i, nil
}

// get gives the value of a map for a key that is a number.
func (i item) get(key uint64) (item, bool) {
	if i.major != 5 {
		return item{}, false
	}
	for n := 0; n+1 < len(i.items); n += 2 {
		if k := i.items[n]; k.major == 0 && k.value == key {
			return i.items[n+1], true
		}
	}
	return item{}, false
}

// inner decodes what a string of bytes holds.
func (i item) inner() (item, bool) {
	if i.major != 2 {
		return item{}, false
	}
	c, _, err := decode(i.bytes, i.at, true)
	return c, err == nil
}
