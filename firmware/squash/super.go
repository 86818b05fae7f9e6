package squash

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// super is the superblock, whatever its version.
type super struct {
	order
	major, minor int
	made         time.Time
	blockSize    int
	compression  int
	marked       bool   // a byte follows the size of a metadata block
	inodes       uint32 // how many
	root         uint64
	used         int64
	fragments    uint32
	ids, gids    int // how many; gids only before 4.0

	idTable, gidTable, inodeTable, directoryTable, fragmentTable int64
}

const (
	superSize4 = 96
	superSize3 = 119
)

// readSuper reads and judges it: what is returned is consistent.
func readSuper(o *tree.Opening) (super, error) {
	b, err := o.Read(0, int(min(superSize3, o.Size())))
	if err != nil || len(b) < superSize4 {
		return super{}, tree.ErrNot
	}
	// The version stands at the same place in all versions, and tells the byte order where a vendor's magic does not.
	s := super{}
	switch {
	case b[28] <= 4 && b[28] >= 3 && b[29] == 0 && b[31] == 0:
	case b[29] <= 4 && b[29] >= 3 && b[28] == 0 && b[30] == 0:
		s.big = true
	default:
		return super{}, tree.ErrNot
	}
	f := &fields{b: b[4:], order: s.order}
	if b[28]|b[29] == 4 {
		err = s.read4(f)
	} else if len(b) == superSize3 {
		err = s.read3(f)
	} else {
		err = tree.ErrNot
	}
	if err != nil {
		return super{}, err
	}
	if s.blockSize < 512 || s.blockSize > 1<<20 || bits.OnesCount(uint(s.blockSize)) != 1 || s.used < superSize4 ||
		s.inodeTable < superSize4 || s.inodeTable >= s.directoryTable || s.directoryTable > s.used || s.fragments > 0 && s.fragmentTable < superSize4 {
		return super{}, tree.ErrNot
	}
	if s.directoryTable > o.Size() {
		return super{}, fault(0, "it is cut off: its list of files lies at %#x, and %d bytes are there", s.directoryTable, o.Size())
	}
	return s, nil
}

// read4 reads struct squashfs_super_block.
func (s *super) read4(f *fields) error {
	s.inodes = uint32(f.bits(32))
	s.made = time.Unix(int64(f.bits(32)), 0).UTC()
	s.blockSize, s.fragments, s.compression = int(f.bits(32)), uint32(f.bits(32)), int(f.bits(16))
	log, _ := f.bits(16), f.bits(16)
	s.ids, s.major, s.minor, s.root, s.used = int(f.bits(16)), int(f.bits(16)), int(f.bits(16)), f.bits(64), int64(f.bits(64))
	s.idTable = int64(f.bits(64))
	f.bits(64) // extended attributes
	s.inodeTable, s.directoryTable, s.fragmentTable = int64(f.bits(64)), int64(f.bits(64)), int64(f.bits(64))
	if s.blockSize != 1<<log || s.blockSize < 4096 || s.minor != 0 {
		return tree.ErrNot
	}
	return nil
}

// read3 reads struct squashfs_super_block_3.
func (s *super) read3(f *fields) error {
	s.inodes = uint32(f.bits(32))
	f.skip(5 * 32) // what version 2 had
	s.major, s.minor = int(f.bits(16)), int(f.bits(16))
	f.bits(16)
	log, flags := f.bits(16), f.bits(8)
	s.marked = flags&4 != 0
	s.ids, s.gids = int(f.bits(8)), int(f.bits(8))
	s.made = time.Unix(int64(f.bits(32)), 0).UTC()
	s.root, s.blockSize, s.fragments = f.bits(64), int(f.bits(32)), uint32(f.bits(32))
	f.bits(32)
	s.used, s.idTable, s.gidTable = int64(f.bits(64)), int64(f.bits(64)), int64(f.bits(64))
	s.inodeTable, s.directoryTable, s.fragmentTable = int64(f.bits(64)), int64(f.bits(64)), int64(f.bits(64))
	s.compression = compressionZlib
	if s.blockSize != 1<<log || s.minor > 1 {
		return tree.ErrNot
	}
	return nil
}

// order is a byte order, which is that of the bits within a field too.
type order struct{ big bool }

// number is an unsigned number of whole bytes.
func (o order) number(b []byte) uint64 {
	v := uint64(0)
	for i := range b {
		if o.big {
			v = v<<8 | uint64(b[i])
		} else {
			v |= uint64(b[i]) << (8 * i)
		}
	}
	return v
}

// fields takes one field after another.
type fields struct {
	order
	b  []byte
	at int // in bits
}

func (f *fields) skip(n int) { f.at += n }

// bits takes a field of n bits; beyond the end there are zeros.
func (f *fields) bits(n int) uint64 {
	from := f.at
	f.at += n
	if f.at > 8*len(f.b) {
		return 0
	}
	if from%8 == 0 && n%8 == 0 {
		return f.number(f.b[from/8 : f.at/8])
	}
	first, last := from/8, (f.at+7)/8
	v := f.number(f.b[first:last]) // at most seven bytes: no field that begins or ends in the midst of one is longer than 32 bits
	if f.big {
		v >>= 8*last - f.at
	} else {
		v >>= from % 8
	}
	return v & (1<<n - 1)
}

// fault is an error in the structure of the file system.
func fault(at int64, format string, args ...any) error {
	return tree.Bad(at, "%s", strings.TrimSpace(fmt.Sprintf(format, args...)))
}
