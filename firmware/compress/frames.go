package compress

import (
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

var (
	// lz4Frames is lz4_Frame_format.md, lz4Legacy the older format at its end, which kernels are packed with.
	lz4Frames = tree.Format{ID: "lz4", Title: "LZ4 frame", Magic: []tree.Magic{{At: 0, Bytes: "\x04\x22\x4d\x18"}}, Search: true, Open: openLZ4}
	lz4Legacy = tree.Format{ID: "lz4-legacy", Title: "LZ4 legacy frame", Magic: []tree.Magic{{At: 0, Bytes: lz4LegacyMagic}}, Search: true, Open: openLZ4Legacy}

	// lzop is the format of the program of that name (its source, lzop.c).
	lzop = tree.Format{ID: "lzop", Title: "lzop file", Magic: []tree.Magic{{At: 0, Bytes: lzopMagic}}, Search: true, Open: openLzop}
)

const (
	lz4LegacyMagic = "\x02\x21\x4c\x18"
	lz4LegacyBlock = 8 << 20
	lz4History     = 64 << 10
	leastLZ4       = 1024 // bytes that come of a legacy frame, even if it breaks off
	lzopMagic      = "\x89LZO\x00\x0d\x0a\x1a\x0a"
	lzopBlock      = 64 << 20
)

// source reads numbers and blocks one after another.
type source struct {
	o  *tree.Opening
	at int64
}

func (s *source) bytes(n int) ([]byte, error) {
	b, err := s.o.Read(s.at, n)
	if err == nil {
		s.at += int64(n)
	}
	return b, err
}

func openLZ4(o *tree.Opening) error {
	head, err := o.Read(4, 3)
	if err != nil {
		return tree.ErrNot
	}
	flags, size := head[0], 2
	if flags&8 != 0 {
		size += 8
	}
	if flags&1 != 0 {
		size += 4
	}
	header, err := o.Read(4, size+1)
	if err != nil || flags>>6 != 1 || flags&2 != 0 || head[1]&0x8f != 0 || head[1]>>4 < 4 {
		return tree.ErrNot
	}
	x := newXXH32()
	x.Write(header[:size])
	if byte(x.sum()>>8) != header[size] {
		return tree.ErrNot
	}
	s := &source{o, 4 + int64(size) + 1}
	return made(o, "content", 0, func(w io.Writer) error {
		return s.lz4(w, 1<<(8+2*(head[1]>>4)), flags&0x20 == 0, flags&0x10 != 0, flags&4 != 0)
	}, func() int64 { return s.at })
}

// lz4 unpacks the blocks of a frame. linked blocks copy from those before.
func (s *source) lz4(w io.Writer, most int, linked, blockSum, contentSum bool) error {
	var out []byte
	sum := newXXH32()
	for {
		b, err := s.bytes(4)
		if err != nil {
			return err
		}
		size := binary.LittleEndian.Uint32(b)
		if size == 0 {
			break
		}
		n := int(size &^ (1 << 31))
		if n > most {
			return tree.Bad(s.at-4, "a block of %d bytes, where %d are the most", n, most)
		}
		at := s.at
		src, err := s.bytes(n)
		if err != nil {
			return err
		}
		if !linked {
			out = out[:0]
		} else if len(out) > lz4History {
			out = out[:copy(out, out[len(out)-lz4History:])]
		}
		from := len(out)
		if size>>31 != 0 {
			out = append(out, src...)
		} else {
			out, err = appendLZ4(out, 0, src, from+most)
		}
		sum.Write(out[from:])
		if _, err := w.Write(out[from:]); err != nil {
			return err
		}
		if err != nil {
			return tree.Bad(at, "a block cannot be unpacked: %v", err)
		}
		if blockSum {
			own := newXXH32()
			own.Write(src)
			if err := s.summed(own.sum()); err != nil {
				return err
			}
		}
	}
	if contentSum {
		return s.summed(sum.sum())
	}
	return nil
}

func (s *source) summed(sum uint32) error {
	b, err := s.bytes(4)
	if err == nil && binary.LittleEndian.Uint32(b) != sum {
		err = tree.Bad(s.at-4, "%v", errSum)
	}
	return err
}

func openLZ4Legacy(o *tree.Opening) error {
	s := &source{o, 4}
	return made(o, "content", leastLZ4, s.lz4Legacy, func() int64 { return s.at })
}

// lz4Legacy unpacks blocks until one that is not full, or something that is none.
func (s *source) lz4Legacy(w io.Writer) error {
	var out []byte
	for n := 0; ; n++ {
		b, err := s.bytes(4)
		if err == nil && string(b) == lz4LegacyMagic {
			b, err = s.bytes(4)
		}
		if err != nil && n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		size := binary.LittleEndian.Uint32(b)
		if size == 0 || size > lz4LegacyBlock+lz4LegacyBlock/255+16 {
			s.at -= 4
			if n > 0 {
				return nil
			}
			return tree.Bad(s.at, "a block of %d bytes", size)
		}
		at := s.at
		src, err := s.bytes(int(size))
		if err != nil {
			return err
		}
		out, err = unlz4(out[:0], src, lz4LegacyBlock)
		if _, err := w.Write(out); err != nil {
			return err
		}
		if err != nil {
			return tree.Bad(at, "a block cannot be unpacked: %v", err)
		}
		if len(out) < lz4LegacyBlock {
			return nil
		}
	}
}

// The flags of lzop that matter.
const (
	lzopAdlerOut  = 1
	lzopAdlerIn   = 2
	lzopExtra     = 0x40
	lzopCRCOut    = 0x100
	lzopCRCIn     = 0x200
	lzopFilter    = 0x800
	lzopHeaderCRC = 0x1000
)

func openLzop(o *tree.Opening) error {
	s := &source{o, int64(len(lzopMagic))}
	flags, name, err := s.lzopHeader()
	if err != nil {
		return tree.ErrNot
	}
	if name == "" {
		name = "content"
	}
	return made(o, name, 0, func(w io.Writer) error { return s.lzop(w, flags) }, func() int64 { return s.at })
}

// lzopHeader reads what stands behind the magic.
func (s *source) lzopHeader() (flags uint32, name string, err error) {
	from := s.at
	number := func(n int) uint32 {
		b, failed := s.bytes(n)
		if failed != nil {
			err = failed
			return 0
		}
		return uint32(binary.BigEndian.Uint64(append(make([]byte, 8-n), b...)))
	}
	version := number(2)
	number(2)
	newer := version >= 0x940
	if newer {
		number(2)
	}
	method := number(1)
	if newer {
		number(1)
	}
	flags = number(4)
	if flags&lzopFilter != 0 {
		number(4)
	}
	number(4)
	modified := number(4)
	if newer {
		number(4)
	}
	text, failed := s.bytes(int(number(1)))
	if err != nil || failed != nil || method < 1 || method > 3 {
		return 0, "", errDamaged
	}
	header, err := s.o.Read(from, int(s.at-from))
	if err != nil {
		return 0, "", err
	}
	sum := adler32.Checksum(header)
	if flags&lzopHeaderCRC != 0 {
		sum = crc32.ChecksumIEEE(header)
	}
	if stored := number(4); err != nil || stored != sum || flags&(lzopExtra|lzopFilter) != 0 {
		return 0, "", errDamaged
	}
	if modified > 0 {
		s.o.Describe("of %s", time.Unix(int64(modified), 0).UTC().Format("2006-01-02"))
	}
	return flags, string(text), nil
}

// lzop unpacks the blocks.
func (s *source) lzop(w io.Writer, flags uint32) error {
	var out []byte
	for {
		b, err := s.bytes(4)
		if err != nil {
			return err
		}
		size := binary.BigEndian.Uint32(b)
		if size == 0 {
			return nil
		}
		if b, err = s.bytes(4); err != nil {
			return err
		}
		packed := binary.BigEndian.Uint32(b)
		if size > lzopBlock || packed > size {
			return tree.Bad(s.at-8, "a block of %d bytes of which %d are made", packed, size)
		}
		sums := int64(0)
		for _, flag := range []uint32{lzopAdlerOut, lzopCRCOut, lzopAdlerIn, lzopCRCIn} {
			if flags&flag != 0 && (packed < size || flag == lzopAdlerOut || flag == lzopCRCOut) {
				sums += 4
			}
		}
		stored, err := s.bytes(int(sums))
		if err != nil {
			return err
		}
		at := s.at
		src, err := s.bytes(int(packed))
		if err != nil {
			return err
		}
		if packed == size {
			out = append(out[:0], src...)
		} else {
			out, err = unlzo(out[:0], src, int(size))
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		if err == nil && flags&lzopAdlerOut != 0 && adler32.Checksum(out) != binary.BigEndian.Uint32(stored) {
			err = errSum
		}
		if err == nil && flags&(lzopAdlerOut|lzopCRCOut) == lzopCRCOut && crc32.ChecksumIEEE(out) != binary.BigEndian.Uint32(stored) {
			err = errSum
		}
		if err == nil && len(out) != int(size) {
			err = fmt.Errorf("%d bytes came of it, and not %d", len(out), size)
		}
		if err != nil {
			return tree.Bad(at, "a block cannot be unpacked: %v", err)
		}
	}
}
