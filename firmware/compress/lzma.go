package compress

import (
	"encoding/binary"
	"errors"
	"io"
)

// errDamaged says that compressed data do not hold together.
var errDamaged = errors.New("the compressed data are damaged")

// The LZMA decoder follows the description of the format by its author (lzma-specification.txt of the LZMA SDK). Its speed decides how
// long a router's image takes, so the state of the range decoder lives in local variables of the functions that decode a symbol.

const (
	lzmaTop      = 1 << 24
	lzmaStates   = 12
	lzmaMaxMatch = 273
	lzmaAhead    = 32 // a symbol takes fewer bytes than these
	lzmaEven     = 1024
	lzmaHead     = 13
	lzmaStep     = 1 << 20 // bytes that are made at once
)

// lengthCoder holds the probabilities of match lengths.
type lengthCoder struct {
	choice, choice2 uint16
	low, mid        [16 << 3]uint16
	high            [256]uint16
}

// lzmaTables are the probabilities that decoding learns.
type lzmaTables struct {
	match, repLong          [lzmaStates << 4]uint16
	rep, rep0, rep1, rep2   [lzmaStates]uint16
	slot                    [4][64]uint16
	special                 [128]uint16
	align                   [16]uint16
	matchLength, repeLength lengthCoder
}

// lzma decodes LZMA data into its window.
type lzma struct {
	window
	in *input

	lc, lp, pb uint
	tables     lzmaTables
	literal    []uint16

	rng, code uint32
	state     uint32
	rep       [4]uint32 // distances, less one
	ended     bool      // the end marker was met
}

// setProps takes the byte that says how many bits of what are context.
func (d *lzma) setProps(b byte) error {
	if b >= 9*5*5 {
		return errDamaged
	}
	d.lc, d.lp, d.pb = uint(b%9), uint(b/9%5), uint(b/45)
	if n := 0x300 << (d.lc + d.lp); cap(d.literal) < n {
		d.literal = make([]uint16, n)
	} else {
		d.literal = d.literal[:n]
	}
	return nil
}

// reset forgets what was learned.
func (d *lzma) reset() {
	t := &d.tables
	for _, p := range [][]uint16{
		t.match[:], t.repLong[:], t.rep[:], t.rep0[:], t.rep1[:], t.rep2[:], t.slot[0][:], t.slot[1][:], t.slot[2][:], t.slot[3][:],
		t.special[:], t.align[:], d.literal,
	} {
		even(p)
	}
	for _, l := range []*lengthCoder{&t.matchLength, &t.repeLength} {
		l.choice, l.choice2 = lzmaEven, lzmaEven
		even(l.low[:])
		even(l.mid[:])
		even(l.high[:])
	}
	d.state, d.rep, d.ended = 0, [4]uint32{}, false
}

func even(p []uint16) {
	for i := range p {
		p[i] = lzmaEven
	}
}

// start reads the first bytes of the range decoder.
func (d *lzma) start() error {
	if err := d.in.fill(5); err != nil {
		return err
	}
	b := d.in.take(5)
	if b[0] != 0 {
		return errDamaged
	}
	d.rng, d.code = 0xffffffff, uint32(b[1])<<24|uint32(b[2])<<16|uint32(b[3])<<8|uint32(b[4])
	if d.code == d.rng {
		return errDamaged
	}
	return nil
}

// normal and bit are one step of the range decoder. They are small, so that they are inlined.
func normal(in []byte, at int, rng, code uint32) (int, uint32, uint32) {
	if rng < lzmaTop {
		return at + 1, rng << 8, code<<8 | uint32(in[at])
	}
	return at, rng, code
}

func bit(p *uint16, rng, code uint32) (uint32, uint32, uint32) {
	v := uint32(*p)
	bound := rng >> 11 * v
	zero := uint32((int64(code) - int64(bound)) >> 63)
	*p = uint16(v - uint32(int32(v+zero&^2016)>>5))
	rng -= bound
	return zero + 1, rng + zero&(bound-rng), code - bound&^zero
}

// decode makes bytes until the window stands at soft, never beyond hard, or the data end. The window has room for hard.
func (d *lzma) decode(soft, hard int) error {
	for d.at < soft && !d.ended {
		err := d.in.fill(lzmaAhead)
		if err != nil && err != io.ErrUnexpectedEOF {
			return err
		}
		stop := d.in.end - lzmaAhead
		if err != nil { // near the end: what follows are zeros, and not to be taken
			d.in.pad(lzmaAhead)
			stop = d.in.end
		}
		if err := d.symbols(stop, soft, hard); err != nil {
			return err
		}
		if d.in.at > d.in.end {
			d.in.at = d.in.end
			return io.ErrUnexpectedEOF
		}
	}
	return nil
}

// settle reads what the range decoder has left to read, and reports whether it ends as the data of an encoder do.
func (d *lzma) settle() bool {
	d.in.at, d.rng, d.code = normal(d.in.b, d.in.at, d.rng, d.code)
	return d.code == 0
}

// alone reads the header of an .lzma file, and says how many bytes it has, or -1.
func (d *lzma) alone() (int64, error) {
	head, err := d.in.next(lzmaHead)
	if err != nil {
		return 0, err
	}
	size := int64(binary.LittleEndian.Uint64(head[5:]))
	if size < -1 {
		return 0, errDamaged
	}
	if err := d.setProps(head[0]); err != nil {
		return 0, err
	}
	dict := binary.LittleEndian.Uint32(head[1:])
	if size >= 0 && size < int64(dict) { // no match reaches further
		dict = uint32(size)
	}
	return size, d.setDict(dict)
}

// all decodes data of so many bytes; -1: to their end marker.
func (d *lzma) all(size int64) error {
	d.forget()
	d.reset()
	if err := d.start(); err != nil {
		return err
	}
	for made := int64(0); made != size && !d.ended; {
		n := int64(lzmaStep)
		if size >= 0 {
			n = min(n, size-made)
		}
		soft, hard, err := d.space(int(n), lzmaMaxMatch)
		if err == ErrTooLarge && size < 0 && d.isOver() {
			return nil
		}
		if err != nil {
			return err
		}
		from := d.at
		if size >= 0 {
			hard = from + int(min(int64(hard-from), size-made))
		}
		if err := d.decode(soft, hard); err != nil {
			return err
		}
		made += int64(d.at - from)
	}
	return nil
}

// isOver reports whether the end marker comes next.
func (d *lzma) isOver() bool {
	from := d.at
	d.limit += lzmaMaxMatch
	if d.room(lzmaMaxMatch) != nil {
		return false
	}
	err := d.decode(from+1, from+lzmaMaxMatch)
	over := d.at == from && d.ended && err == nil
	d.at = from
	return over
}
