package compress

import (
	"encoding/binary"
	"fmt"
	"hash"
	"io"
)

// filter undoes what an encoder did to machine code (relative addresses made absolute) or to samples, so that it packs better.
type filter struct {
	// step undoes it in b, and says how many bytes are final: the last few wait for more.
	step func(f *filter, b []byte) int
	pos  uint32 // where b begins, as the encoder counted

	back  byte // of the delta filter
	delta [256]byte
	mask  uint32 // of that for x86: which of the last bytes were opcodes
}

// newFilter makes one from its number and properties in an xz block.
func newFilter(id uint64, props []byte) (*filter, error) {
	if id == 3 {
		if len(props) != 1 {
			return nil, errDamaged
		}
		return &filter{step: undelta, back: props[0]}, nil
	}
	steps := map[uint64]func(*filter, []byte) int{4: unx86, 5: unppc, 6: unia64, 7: unarm, 8: unthumb, 9: unsparc, 10: unarm64}
	f := &filter{step: steps[id]}
	if f.step == nil {
		return nil, fmt.Errorf("a filter has number %#x, which is not known", id)
	}
	if len(props) == 4 {
		f.pos = binary.LittleEndian.Uint32(props)
	} else if len(props) != 0 {
		return nil, errDamaged
	}
	return f, nil
}

// run undoes it in the whole of b.
func (f *filter) run(b []byte) { f.pos += uint32(f.step(f, b)) }

// filtered writes what filters make of what it is given.
type filtered struct {
	filters []*filter
	rest    [][]byte // of each filter: what waits for more
	w       io.Writer
	sum     hash.Hash // of what is written, or nil
}

// Write passes b through the filters.
func (w *filtered) Write(b []byte) (int, error) {
	n := len(b)
	for len(w.rest) < len(w.filters) {
		w.rest = append(w.rest, nil)
	}
	for i, f := range w.filters {
		b = append(w.rest[i], b...)
		done := f.step(f, b)
		f.pos += uint32(done)
		w.rest[i] = append([]byte(nil), b[done:]...)
		b = b[:done]
	}
	return n, w.put(b)
}

// end writes what waits: filters leave it as it is.
func (w *filtered) end() error {
	for i := range w.rest {
		b := w.rest[i]
		w.rest[i] = nil
		for j := i + 1; j < len(w.filters); j++ {
			b = append(w.rest[j], b...)
			f := w.filters[j]
			done := f.step(f, b)
			f.pos += uint32(done)
			w.rest[j] = append([]byte(nil), b[done:]...)
			b = b[:done]
		}
		if err := w.put(b); err != nil {
			return err
		}
	}
	return nil
}

func (w *filtered) put(b []byte) error {
	if w.sum != nil {
		w.sum.Write(b)
	}
	_, err := w.w.Write(b)
	return err
}

func undelta(f *filter, b []byte) int {
	distance := uint32(f.back) + 1
	for i := range b {
		p := f.pos + uint32(i)
		b[i] += f.delta[(p-distance)&255]
		f.delta[p&255] = b[i]
	}
	return len(b)
}

// words calls change for each stretch of four bytes.
func words(b []byte, change func(i int, w []byte)) int {
	n := len(b) &^ 3
	for i := 0; i < n; i += 4 {
		change(i, b[i:i+4])
	}
	return n
}

func unppc(f *filter, b []byte) int {
	return words(b, func(i int, w []byte) {
		if v := binary.BigEndian.Uint32(w); v&0xfc000003 == 0x48000001 {
			binary.BigEndian.PutUint32(w, 0x48000001|(v-f.pos-uint32(i))&0x03fffffc)
		}
	})
}

func unsparc(f *filter, b []byte) int {
	return words(b, func(i int, w []byte) {
		v := binary.BigEndian.Uint32(w)
		if v>>22 != 0x100 && v>>22 != 0x1ff {
			return
		}
		v = v<<2 - f.pos - uint32(i)
		v >>= 2
		binary.BigEndian.PutUint32(w, (0x40000000-v&0x400000)|0x40000000|v&0x3fffff)
	})
}

func unarm(f *filter, b []byte) int {
	return words(b, func(i int, w []byte) {
		if w[3] != 0xeb {
			return
		}
		v := binary.LittleEndian.Uint32(w)
		binary.LittleEndian.PutUint32(w, v&0xff000000|((v<<2-f.pos-uint32(i)-8)>>2)&0xffffff)
	})
}

func unarm64(f *filter, b []byte) int {
	return words(b, func(i int, w []byte) {
		v, pc := binary.LittleEndian.Uint32(w), f.pos+uint32(i)
		if v>>26 == 0x25 {
			binary.LittleEndian.PutUint32(w, 0x94000000|(v-pc>>2)&0x03ffffff)
			return
		}
		if v&0x9f000000 != 0x90000000 {
			return
		}
		from := v>>29&3 | v>>3&0x1ffffc
		if (from+0x20000)&0x1c0000 != 0 {
			return
		}
		to := from - pc>>12
		binary.LittleEndian.PutUint32(w, v&0x9000001f|to&3<<29|to&0x3fffc<<3|(0-to&0x20000)&0xe00000)
	})
}

func unthumb(f *filter, b []byte) int {
	i := 0
	for ; i+4 <= len(b); i += 2 {
		if b[i+1]&0xf8 != 0xf0 || b[i+3]&0xf8 != 0xf8 {
			continue
		}
		v := uint32(b[i+1]&7)<<19 | uint32(b[i])<<11 | uint32(b[i+3]&7)<<8 | uint32(b[i+2])
		v = (v<<1 - f.pos - uint32(i) - 4) >> 1
		b[i], b[i+1], b[i+2], b[i+3] = byte(v>>11), 0xf0|byte(v>>19&7), byte(v), 0xf8|byte(v>>8&7)
		i += 2
	}
	return i
}

// ia64Branches says, by the template of a bundle, which of its three slots hold branches.
var ia64Branches = [32]byte{16: 4, 17: 4, 18: 6, 19: 6, 22: 7, 23: 7, 24: 4, 25: 4, 28: 4, 29: 4}

func unia64(f *filter, b []byte) int {
	n := len(b) &^ 15
	for i := 0; i < n; i += 16 {
		slots := ia64Branches[b[i]&31]
		for slot := range 3 {
			if slots>>slot&1 == 0 {
				continue
			}
			at := 5 + 41*slot
			from, shift := i+at>>3, uint(at&7)
			var w [8]byte
			copy(w[:6], b[from:from+6])
			v := binary.LittleEndian.Uint64(w[:])
			inst := v >> shift
			if inst>>37&0xf != 5 || inst>>9&7 != 0 {
				continue
			}
			target := uint32(inst>>13&0xfffff) | uint32(inst>>36&1)<<20
			target = (target<<4 - f.pos - uint32(i)) >> 4
			inst = inst&^(0x8fffff<<13) | uint64(target&0xfffff)<<13 | uint64(target&0x100000)<<(36-20)
			v = v&(1<<shift-1) | inst<<shift
			binary.LittleEndian.PutUint64(w[:], v)
			copy(b[from:from+6], w[:6])
		}
	}
	return n
}

// x86Opcodes says, by which of the last three bytes were opcodes, how many bytes from the end of the address to look, and whether one
// may begin here.
var x86Opcodes = [8]struct {
	bits  uint32
	begin bool
}{{0, true}, {1, true}, {2, true}, {2, false}, {3, true}, {3, false}, {3, false}, {3, false}}

// unx86 follows the one of XZ Embedded, whose rules for overlapping opcodes are the definition.
func unx86(f *filter, b []byte) int {
	if len(b) <= 4 {
		return 0
	}
	size, i, last, mask := len(b)-4, 0, -1, f.mask
	for ; i < size; i++ {
		if b[i]&0xfe != 0xe8 {
			continue
		}
		if gap := i - last; gap > 3 {
			mask = 0
		} else if mask = mask << (gap - 1) & 7; mask != 0 {
			o := x86Opcodes[mask]
			if !o.begin || extreme(b[i+4-int(o.bits)]) {
				last, mask = i, mask<<1|1
				continue
			}
		}
		last = i
		if !extreme(b[i+4]) {
			mask = mask<<1 | 1
			continue
		}
		from := binary.LittleEndian.Uint32(b[i+1:])
		to := from - f.pos - uint32(i) - 5
		for j := x86Opcodes[mask&7].bits * 8; mask != 0 && extreme(byte(to>>(24-j))); {
			from = to ^ (1<<(32-j) - 1)
			to = from - f.pos - uint32(i) - 5
		}
		to &= 0x01ffffff
		binary.LittleEndian.PutUint32(b[i+1:], to|(0-to&0x01000000))
		i += 4
	}
	if gap := i - last; gap > 3 {
		f.mask = 0
	} else {
		f.mask = mask << (gap - 1)
	}
	return i
}

// extreme reports whether a byte is the highest of a near address.
func extreme(b byte) bool { return b == 0 || b == 0xff }
