package compress

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// unlz4 unpacks a block as lz4_Block_format.md describes it.
func unlz4(dst, src []byte, max int) ([]byte, error) {
	return appendLZ4(dst, len(dst), src, len(dst)+max)
}

// appendLZ4 appends a block to out until limit, which may copy from what lies behind first.
func appendLZ4(out []byte, first int, src []byte, limit int) ([]byte, error) {
	for at := 0; ; {
		if at >= len(src) {
			return out, io.ErrUnexpectedEOF
		}
		token := src[at]
		at++
		literals, at2 := lz4Length(int(token>>4), src, at)
		at = at2
		if literals > len(src)-at {
			return out, io.ErrUnexpectedEOF
		}
		if literals > limit-len(out) {
			return out, ErrTooLarge
		}
		out = append(out, src[at:at+literals]...)
		at += literals
		if at == len(src) {
			return out, nil
		}
		if len(src)-at < 2 {
			return out, io.ErrUnexpectedEOF
		}
		distance := int(src[at]) | int(src[at+1])<<8
		length, next := lz4Length(int(token&15), src, at+2)
		at = next
		var err error
		if out, err = copyMatch(out, first, distance, length+4, limit); err != nil {
			return out, err
		}
	}
}

// lz4Length is a length of which a nibble was read. Beyond the end there is nothing.
func lz4Length(n int, src []byte, at int) (length, next int) {
	for more := n == 15; more && at < len(src); at++ {
		n += int(src[at])
		more = src[at] == 255
	}
	return n, at
}

// xxh32 is the checksum of lz4 frames, with seed zero, as xxhash_spec.md has it.
type xxh32 struct {
	lanes [4]uint32
	n     int
	rest  []byte
}

const (
	xxPrime1 = 2654435761
	xxPrime2 = 2246822519
	xxPrime3 = 3266489917
	xxPrime4 = 668265263
	xxPrime5 = 374761393
)

func newXXH32() *xxh32 {
	prime1, prime2 := uint32(xxPrime1), uint32(xxPrime2)
	return &xxh32{lanes: [4]uint32{prime1 + prime2, prime2, 0, -prime1}}
}

// Write adds b.
func (x *xxh32) Write(b []byte) (int, error) {
	n := len(b)
	x.n += n
	if len(x.rest) > 0 {
		take := min(16-len(x.rest), len(b))
		x.rest = append(x.rest, b[:take]...)
		b = b[take:]
		if len(x.rest) < 16 {
			return n, nil
		}
		x.stripe(x.rest)
		x.rest = x.rest[:0]
	}
	for ; len(b) >= 16; b = b[16:] {
		x.stripe(b)
	}
	x.rest = append(x.rest, b...)
	return n, nil
}

func (x *xxh32) stripe(b []byte) {
	for i := range x.lanes {
		x.lanes[i] = bits.RotateLeft32(x.lanes[i]+binary.LittleEndian.Uint32(b[4*i:])*xxPrime2, 13) * xxPrime1
	}
}

func (x *xxh32) sum() uint32 {
	h := uint32(xxPrime5)
	if x.n >= 16 {
		h = bits.RotateLeft32(x.lanes[0], 1) + bits.RotateLeft32(x.lanes[1], 7) + bits.RotateLeft32(x.lanes[2], 12) + bits.RotateLeft32(x.lanes[3], 18)
	}
	h += uint32(x.n)
	b := x.rest
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*xxPrime3, 17) * xxPrime4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*xxPrime5, 11) * xxPrime1
	}
	h = (h ^ h>>15) * xxPrime2
	h = (h ^ h>>13) * xxPrime3
	return h ^ h>>16
}
