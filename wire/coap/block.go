package coap

import "time"

// MaxSZX is the largest block size exponent: 1024 bytes. 7 is reserved (RFC 7959 section 2.2).
const MaxSZX = 6

// Block is the value of a Block1 or Block2 option.
type Block struct {
	Num  uint32 // 20 bits
	More bool
	SZX  byte // the size is 16 << SZX bytes
}

// Size is the size of the block in bytes.
func (b Block) Size() int { return 16 << b.SZX }

// Offset is where the block begins in the body.
func (b Block) Offset() int { return int(b.Num) * b.Size() }

// Block returns a Block1 or Block2 option. A value that is too long or has the reserved size does not count.
func (m *Message) Block(id OptionID) (Block, bool) {
	v, ok := m.Get(id)
	if !ok || len(v) > 3 {
		return Block{}, false
	}
	n := number(v)
	b := Block{Num: n >> 4, More: n&8 != 0, SZX: byte(n & 7)}
	return b, b.SZX <= MaxSZX
}

// SetBlock replaces a Block1 or Block2 option.
func (m *Message) SetBlock(id OptionID, b Block) *Message {
	n := b.Num<<4 | uint32(b.SZX&7)
	if b.More {
		n |= 8
	}
	return m.Remove(id).AddUint(id, n)
}

// SZX is the exponent of the largest block size that is not above size; size is at least 16.
func SZX(size int) byte {
	var x byte
	for x < MaxSZX && 16<<(x+1) <= size {
		x++
	}
	return x
}

// Fresher reports whether a notification with observe value v2 that came at t2 is newer than one with v1 that came at t1 (RFC 7641
// section 3.4): the 24-bit numbers wrap around, and after 128 s any number is newer.
func Fresher(v1 uint32, t1 time.Time, v2 uint32, t2 time.Time) bool {
	const half = 1 << 23
	return v1 < v2 && v2-v1 < half || v1 > v2 && v1-v2 > half || t2.After(t1.Add(128*time.Second))
}
