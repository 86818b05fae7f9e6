package flash

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// ubi is what UBI makes of a flash chip (drivers/mtd/ubi/ubi-media.h): physical blocks with two heads each, that hold the logical blocks
// of volumes. Of several copies of a logical block the newest counts. Fastmaps are not needed.
var ubi = tree.Format{ID: "ubi", Title: "UBI image", Magic: []tree.Magic{{At: 0, Bytes: "UBI#"}}, Search: true, Open: openUBI}

const (
	ubiHead     = 64
	ubiInternal = 0x7fffefff // the first number of volumes of its own; this one holds the table of the others
	ubiRecord   = 172        // bytes of an entry of that table
	ubiVolumes  = 128
	ubiStatic   = 2
	ubiBad      = 64 // so many blocks on end may be empty or bad before it has ended
)

// UBI is what a UBI image holds.
type UBI struct {
	BlockSize int // of a physical block
	Sequence  uint32
	Volumes   []UBIVolume
}

// UBIVolume is one volume.
type UBIVolume struct {
	ID     int
	Name   string
	Static bool
	Blocks int // that are in the image
}

// ubiBlock is a logical block.
type ubiBlock struct {
	volume, number uint32
	at             int64 // of its data
	sequence       uint64
	copied, static bool
	size, crc      uint32 // of the data, as the head says
	pad            uint32
}

// ubiFS is an image that is being read.
type ubiFS struct {
	o        *tree.Opening
	size     int64 // of a physical block
	data     int64 // offset of the data in it
	sequence uint32
	count    uint32 // of blocks
	blocks   []ubiBlock
	fill     int64 // bytes that may still be made of blocks that are not there
	info     UBI
}

func openUBI(o *tree.Opening) error {
	x := &ubiFS{o: o}
	head, ok := x.erase(0)
	if !ok {
		return tree.ErrNot
	}
	x.data, x.sequence = int64(binary.BigEndian.Uint32(head[20:])), binary.BigEndian.Uint32(head[24:])
	if err := x.measure(); err != nil {
		return err
	}
	end, err := x.scan()
	if err != nil {
		return err
	}
	o.Ends(end)
	x.fill = end
	slices.SortFunc(x.blocks, func(a, b ubiBlock) int {
		return cmp.Or(cmp.Compare(a.volume, b.volume), cmp.Compare(a.number, b.number), cmp.Compare(b.sequence, a.sequence))
	})
	x.info = UBI{BlockSize: int(x.size), Sequence: x.sequence}
	o.Info(&x.info)
	volumes := x.newest()
	names := x.table(volumes)
	for _, blocks := range volumes {
		if blocks[0].volume >= ubiInternal {
			continue
		}
		if err := x.volume(blocks, names[blocks[0].volume]); err != nil {
			return err
		}
	}
	o.Describe("blocks of %d bytes, %d volumes", x.size, len(x.info.Volumes))
	return nil
}

// erase reads the first head of a physical block.
func (x *ubiFS) erase(at int64) ([]byte, bool) {
	b, err := x.o.Read(at, ubiHead)
	return b, err == nil && string(b[:4]) == "UBI#" && b[4] == 1 && ^crc32.ChecksumIEEE(b[:60]) == binary.BigEndian.Uint32(b[60:])
}

// measure finds the size of physical blocks: the smallest distance of two that follow each other.
func (x *ubiFS) measure() error {
	const step, most = 4096, 16 << 20
	if x.data < 2*ubiHead || x.data > 1<<20 {
		return tree.Bad(20, "the data of a block are said to begin at %d", x.data)
	}
	last := int64(0)
	for at, found := int64(step), 0; at < min(most, x.o.Size()) && found < 64; at += step {
		b, err := x.o.Read(at, 4)
		if err != nil {
			return err
		}
		if string(b) != "UBI#" {
			continue
		}
		found++
		if head, ok := x.erase(at); !ok || int64(binary.BigEndian.Uint32(head[20:])) != x.data || binary.BigEndian.Uint32(head[24:]) != x.sequence {
			continue
		}
		if distance := at - last; distance > x.data && (x.size == 0 || distance < x.size) {
			x.size = distance
		}
		last = at
	}
	if x.size == 0 {
		x.size = x.o.Size()
	}
	if x.size > 16<<20 || x.size <= x.data {
		return tree.Bad(0, "there is one block of %d bytes", x.size)
	}
	return nil
}

// scan reads the heads of all blocks, and says where the last ends.
func (x *ubiFS) scan() (end int64, err error) {
	for at := int64(0); at < x.o.Size() && at-end < ubiBad*x.size; at += x.size {
		head, ok := x.erase(at)
		if !ok {
			if x.o.Context().Err() != nil {
				return 0, x.o.Context().Err()
			}
			continue
		}
		if s := binary.BigEndian.Uint32(head[24:]); s != x.sequence && s != 0 && x.sequence != 0 {
			break // another image
		}
		end = min(at+x.size, x.o.Size())
		v, err := x.o.Read(at+int64(binary.BigEndian.Uint32(head[16:])), ubiHead)
		if err != nil || string(v[:4]) != "UBI!" {
			continue // it is free
		}
		if ^crc32.ChecksumIEEE(v[:60]) != binary.BigEndian.Uint32(v[60:]) {
			x.o.Note(at, "the head of a logical block does not fit its checksum")
			continue
		}
		x.blocks = append(x.blocks, ubiBlock{
			volume: binary.BigEndian.Uint32(v[8:]), number: binary.BigEndian.Uint32(v[12:]), at: at + x.data,
			sequence: binary.BigEndian.Uint64(v[40:]), copied: v[6] != 0, static: v[5] == ubiStatic,
			size: binary.BigEndian.Uint32(v[20:]), crc: binary.BigEndian.Uint32(v[32:]), pad: binary.BigEndian.Uint32(v[28:]),
		})
	}
	x.count = uint32(end / x.size)
	return end, nil
}

// content reads the data of a block: all, or those that its head tells of.
func (x *ubiFS) content(b *ubiBlock) ([]byte, error) {
	size := max(0, x.size-x.data-int64(b.pad))
	if b.static {
		size = min(size, int64(b.size))
	}
	return x.o.Read(b.at, int(min(size, max(0, x.o.Size()-b.at))))
}

// whole reports whether the data of a block that was copied for the sake of wear are all there.
func (x *ubiFS) whole(b *ubiBlock) bool {
	data, err := x.o.Read(b.at, int(min(int64(b.size), x.size-x.data)))
	return err == nil && ^crc32.ChecksumIEEE(data) == b.crc
}

// newest gives the blocks of each volume that count, in their order.
func (x *ubiFS) newest() [][]ubiBlock {
	var volumes [][]ubiBlock
	taken := false // the block before was good
	for i, b := range x.blocks {
		first := i == 0 || x.blocks[i-1].volume != b.volume || x.blocks[i-1].number != b.number
		if !first && taken {
			continue
		}
		again := i+1 < len(x.blocks) && x.blocks[i+1].volume == b.volume && x.blocks[i+1].number == b.number
		if taken = !b.copied || !again || x.whole(&b); !taken {
			x.o.Note(b.at, "a copy of block %d of volume %d is not complete; an older one counts", b.number, b.volume)
			continue
		}
		if b.volume < ubiInternal && b.number >= x.count {
			x.o.Note(b.at, "a block is said to be number %d of volume %d, and there are %d in all", b.number, b.volume, x.count)
			continue
		}
		if n := len(volumes); n == 0 || volumes[n-1][0].volume != b.volume {
			volumes = append(volumes, nil)
		}
		volumes[len(volumes)-1] = append(volumes[len(volumes)-1], b)
	}
	return volumes
}

// table reads the names of volumes.
func (x *ubiFS) table(volumes [][]ubiBlock) map[uint32]string {
	names := map[uint32]string{}
	for _, blocks := range volumes {
		if blocks[0].volume != ubiInternal {
			continue
		}
		for i := range blocks {
			b, err := x.content(&blocks[i])
			if err != nil {
				continue
			}
			for n := range uint32(min(ubiVolumes, len(b)/ubiRecord)) {
				r := b[n*ubiRecord:][:ubiRecord]
				if size := binary.BigEndian.Uint16(r[14:]); ^crc32.ChecksumIEEE(r[:168]) == binary.BigEndian.Uint32(r[168:]) && size > 0 && size < 128 && names[n] == "" {
					names[n] = string(bytes.ToValidUTF8(r[16:16+size], []byte("?")))
				}
			}
		}
	}
	return names
}

// volume tells of one. Blocks of it that are not there are as flash is after it was erased.
func (x *ubiFS) volume(blocks []ubiBlock, name string) error {
	static := blocks[0].static
	x.info.Volumes = append(x.info.Volumes, UBIVolume{int(blocks[0].volume), name, static, len(blocks)})
	label := "volume " + name
	if name == "" {
		label = fmt.Sprintf("volume %d", blocks[0].volume)
	}
	_, err := x.o.Made(label, func(w io.Writer) error {
		next := uint32(0)
		for i := range blocks {
			b := &blocks[i]
			size := max(0, x.size-x.data-int64(b.pad))
			if missing := int64(b.number-next) * size; missing > 0 {
				if x.fill -= missing; x.fill < 0 {
					return tree.Bad(b.at, "%d blocks before block %d are not there; the rest is left out", b.number-next, b.number)
				}
				erased := bytes.Repeat([]byte{0xff}, int(size))
				for ; next < b.number; next++ {
					if _, err := w.Write(erased); err != nil {
						return err
					}
				}
			}
			data, err := x.content(b)
			if err != nil {
				return err
			}
			if static && ^crc32.ChecksumIEEE(data) != b.crc {
				x.o.Note(b.at, "block %d of %s does not fit its checksum", b.number, label)
			}
			if _, err := w.Write(data); err != nil {
				return err
			}
			next = b.number + 1
		}
		return nil
	})
	return err
}
