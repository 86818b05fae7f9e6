package compress

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
)

// The container is that of xz-file-format.txt (version 1.2.1), the data in it LZMA2, possibly behind filters for machine code.

const (
	xzMagic  = "\xfd7zXZ\x00"
	xzHead   = 12
	xzFooter = 12
)

var crc64Table = crc64.MakeTable(crc64.ECMA)

// xz decodes one stream after another.
type xz struct {
	lzma
	out    io.Writer // nil: what was unpacked stays in the window
	check  byte
	blocks uint64
}

// stream decodes one.
func (x *xz) stream() error {
	head, err := x.in.next(xzHead)
	if err != nil {
		return err
	}
	if string(head[:6]) != xzMagic || head[6] != 0 || head[7] > 15 || crc32.ChecksumIEEE(head[6:8]) != binary.LittleEndian.Uint32(head[8:]) {
		return fmt.Errorf("no header of an xz stream: %w", errDamaged)
	}
	x.check, x.blocks = head[7], 0
	for {
		size, err := x.in.next(1)
		if err != nil {
			return err
		}
		if size[0] == 0 {
			break
		}
		x.in.at--
		if err := x.block((int(size[0]) + 1) * 4); err != nil {
			return err
		}
		x.blocks++
	}
	if err := x.index(); err != nil {
		return err
	}
	foot, err := x.in.next(xzFooter)
	if err != nil {
		return err
	}
	if string(foot[10:]) != "YZ" || foot[9] != x.check || crc32.ChecksumIEEE(foot[4:10]) != binary.LittleEndian.Uint32(foot) {
		return fmt.Errorf("no footer of an xz stream: %w", errDamaged)
	}
	return nil
}

// block decodes one whose header has that size.
func (x *xz) block(size int) error {
	head, err := x.in.next(size)
	if err != nil {
		return err
	}
	filters, err := x.filters(head)
	if err != nil {
		return err
	}
	from := x.in.taken()
	first := x.at
	sum := newSum(x.check)
	var last *filtered
	if x.out != nil {
		last = &filtered{filters: filters, w: x.out, sum: sum}
		x.w = last
	}
	if err := x.lzma2(); err != nil {
		x.flush()
		return err
	}
	if err := x.flush(); err != nil {
		return err
	}
	if last != nil {
		err = last.end()
	} else {
		for _, f := range filters {
			f.run(x.buf[first:x.at])
		}
		if sum != nil {
			sum.Write(x.buf[first:x.at])
		}
	}
	if err != nil {
		return err
	}
	for (x.in.taken()-from)%4 != 0 {
		if _, err := x.in.next(1); err != nil {
			return err
		}
	}
	return x.checked(sum)
}

// checked compares the check of a block.
func (x *xz) checked(sum hash.Hash) error {
	size := [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[x.check]
	stored, err := x.in.next(size)
	if err != nil || sum == nil {
		return err
	}
	made := sum.Sum(nil)
	if x.check != checkSHA256 { // the others are stored as numbers, little-endian
		for i, j := 0, len(made)-1; i < j; i, j = i+1, j-1 {
			made[i], made[j] = made[j], made[i]
		}
	}
	if !bytes.Equal(made, stored) {
		return errSum
	}
	return nil
}

var errSum = errors.New("what was unpacked does not fit its checksum")

const (
	checkCRC32  = 1
	checkCRC64  = 4
	checkSHA256 = 10
)

// newSum makes the check with that number; nil: there is none, or it is not known.
func newSum(check byte) hash.Hash {
	switch check {
	case checkCRC32:
		return crc32.NewIEEE()
	case checkCRC64:
		return crc64.New(crc64Table)
	case checkSHA256:
		return sha256.New()
	}
	return nil
}

// filters reads a block's header. The filters are those to run on what LZMA2 gives, in that order.
func (x *xz) filters(head []byte) ([]*filter, error) {
	body := head[:len(head)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(head[len(body):]) || body[1]&0x3c != 0 {
		return nil, fmt.Errorf("no header of a block: %w", errDamaged)
	}
	flags, rest := body[1], body[2:]
	number := func() uint64 {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			rest = nil
			return 1 << 63
		}
		rest = rest[n:]
		return v
	}
	for _, bit := range []byte{0x40, 0x80} { // the sizes, which are not needed
		if flags&bit != 0 {
			number()
		}
	}
	var list []*filter
	for left := int(flags & 3); ; left-- {
		id, size := number(), number()
		if size > uint64(len(rest)) {
			return nil, fmt.Errorf("a filter of a block: %w", errDamaged)
		}
		props := rest[:size]
		rest = rest[size:]
		if left == 0 {
			if id != 0x21 || len(props) != 1 {
				return nil, fmt.Errorf("the compression has number %#x, which is not LZMA2", id)
			}
			return list, x.setDict(lzma2Dict(props[0]))
		}
		f, err := newFilter(id, props)
		if err != nil {
			return nil, err
		}
		list = append([]*filter{f}, list...)
	}
}

// lzma2Dict is the size that a byte stands for.
func lzma2Dict(b byte) uint32 {
	if b >= 40 {
		return 0xffffffff
	}
	return (2 | uint32(b)&1) << (b/2 + 11)
}

// index reads the list of blocks, whose first byte was taken.
func (x *xz) index() error {
	sum := crc32.NewIEEE()
	sum.Write([]byte{0})
	size := 1
	number := func() (uint64, error) {
		v := uint64(0)
		for i := 0; i < 9; i++ {
			b, err := x.in.next(1)
			if err != nil {
				return 0, err
			}
			sum.Write(b)
			size++
			v |= uint64(b[0]&0x7f) << (7 * i)
			if b[0] < 0x80 {
				return v, nil
			}
		}
		return 0, errDamaged
	}
	count, err := number()
	if err != nil {
		return err
	}
	if count != x.blocks {
		return fmt.Errorf("the index names %d blocks, and there are %d: %w", count, x.blocks, errDamaged)
	}
	for range 2 * count {
		if _, err := number(); err != nil {
			return err
		}
	}
	pad, err := x.in.next(-size & 3)
	if err != nil {
		return err
	}
	sum.Write(pad)
	stored, err := x.in.next(4)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(stored) != sum.Sum32() {
		return fmt.Errorf("the index: %w", errSum)
	}
	return nil
}

// lzma2 decodes chunks until the one that ends them.
func (x *xz) lzma2() error {
	x.forget()
	fresh, state, props := true, true, true // what the next chunk must reset
	for {
		b, err := x.in.next(1)
		if err != nil {
			return err
		}
		control := b[0]
		switch {
		case control == 0:
			return nil
		case control >= 0xe0, control == 1:
			x.forget()
			fresh = false
		case fresh:
			return fmt.Errorf("a chunk without a history: %w", errDamaged)
		}
		if control < 0x80 {
			if control > 2 {
				return errDamaged
			}
			if err := x.stored(); err != nil {
				return err
			}
			continue
		}
		if control < 0xc0 && props || control < 0xa0 && state {
			return fmt.Errorf("a chunk without what it needs: %w", errDamaged)
		}
		props, state = false, false
		if err := x.chunk(control); err != nil {
			return err
		}
	}
}

// stored copies a chunk that is not compressed.
func (x *xz) stored() error {
	head, err := x.in.next(2)
	if err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(head)) + 1
	if err := x.room(n); err != nil {
		return err
	}
	b, err := x.in.next(n)
	if err != nil {
		return err
	}
	x.at += copy(x.buf[x.at:], b)
	return nil
}

// chunk decodes one that is compressed.
func (x *xz) chunk(control byte) error {
	head, err := x.in.next(4)
	if err != nil {
		return err
	}
	size := int(control&0x1f)<<16 + int(binary.BigEndian.Uint16(head)) + 1
	packed := int(binary.BigEndian.Uint16(head[2:])) + 1
	if control >= 0xc0 {
		b, err := x.in.next(1)
		if err != nil {
			return err
		}
		if err := x.setProps(b[0]); err != nil {
			return err
		}
		if x.lc+x.lp > 4 {
			return errDamaged
		}
	}
	if control >= 0xa0 {
		x.reset()
	}
	if err := x.room(size); err != nil {
		return err
	}
	if packed < 5 {
		return errDamaged
	}
	broken := x.in.fill(packed + lzmaAhead)
	if broken != nil && broken != io.ErrUnexpectedEOF {
		return broken
	}
	stop, until := x.in.at+packed, x.at+size
	if broken != nil {
		x.in.pad(lzmaAhead)
		stop = x.in.at + packed
		if stop <= x.in.end { // it is the last, and whole
			broken = nil
		}
	}
	if err := x.start(); err != nil {
		return err
	}
	if err := x.symbols(min(stop, x.in.end), until, until); err != nil {
		return err
	}
	if broken != nil {
		return broken
	}
	if x.at != until || x.ended || !x.settle() || x.in.at != stop {
		return errDamaged
	}
	return nil
}
