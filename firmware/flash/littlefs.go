package flash

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math/bits"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// littlefs is the file system of ARM's littlefs, version 2 (SPEC.md and lfs.c of littlefs-project/littlefs), which Zephyr, MicroPython,
// Mbed OS and others have on microcontrollers. It keeps no owners, times or permissions. Of a file that was being moved when the power
// went both places are told of.
var littlefs = tree.Format{ID: "littlefs", Title: "littlefs file system", Magic: littlefsMagic(), Search: true, Open: openLittleFS}

// littlefsMagic are where the text stands: in the first block, or in the second where that is the only one that is whole.
func littlefsMagic() []tree.Magic {
	all := []tree.Magic{{At: 8, Bytes: "littlefs"}}
	for size := int64(littlefsLeast); size <= littlefsMost; size *= 2 {
		all = append(all, tree.Magic{At: size + 8, Bytes: "littlefs"})
	}
	return all
}

const (
	littlefsLeast = 128 // bytes of a block
	littlefsMost  = 64 << 10
	littlefsNone  = 0xFFFFFFFF // a pointer that leads nowhere
	littlefsIDs   = 1 << 10    // of files in a pair of blocks
)

// littlefsFS is a file system that is being read.
type littlefsFS struct {
	o     *tree.Opening
	block int64
	count int64
	left  int // pairs of blocks that may still be read: each is there once
	work  *unpacked
	files []littlefsFile // by the numbers that the walk has of them
	pairs map[littlefsPair]bool
}

// littlefsPair is where a list of files is kept: in two blocks, of which the newer whole one counts.
type littlefsPair [2]uint32

// littlefsFile is a file, or a folder with the first pair of its list.
type littlefsFile struct {
	name   string
	folder bool
	kind   int    // of what is kept of it: one of those below
	data   []byte // its content, the pair, or the last block and the size of its chain
}

const (
	littlefsPairAt, littlefsInline, littlefsChain = 0, 1, 2
)

// littlefsList is what a pair says.
type littlefsList struct {
	files []littlefsFile
	super []byte // of the superblock: version, size and number of blocks, limits; nil: it has none
	next  littlefsPair
	more  bool // the folder goes on there
	made  int  // how often files were made
}

func openLittleFS(o *tree.Opening) error {
	super, err := littlefsSuper(o)
	if err != nil {
		return err
	}
	word := func(i int) uint32 { return binary.LittleEndian.Uint32(super[4*i:]) }
	x := &littlefsFS{o: o, block: int64(word(1)), count: int64(word(2)), work: newUnpacked(o.Size()), pairs: map[littlefsPair]bool{}}
	size := x.block * x.count
	x.left = int(min(size, o.Size())/x.block) + 2
	o.Ends(size)
	o.Describe("version %d.%d, %d blocks of %d bytes", word(0)>>16, word(0)&0xFFFF, x.count, x.block)
	if size > o.Size() {
		o.Note(0, "it is said to be %d bytes long, and %d are there", size, o.Size())
	}
	x.files = []littlefsFile{{folder: true, kind: littlefsPairAt, data: make([]byte, 8)}}
	binary.LittleEndian.PutUint32(x.files[0].data[4:], 1)
	return o.Walk(0, x.list, x.tell)
}

// littlefsSuper finds the superblock, which says how large a block is, in one of the first two blocks.
func littlefsSuper(o *tree.Opening) ([]byte, error) {
	for at := int64(0); at <= littlefsMost; at = max(littlefsLeast, 2*at) {
		magic, err := o.Read(at+8, 8)
		if err != nil {
			return nil, tree.ErrNot
		}
		if string(magic) != "littlefs" {
			continue
		}
		b, err := o.Read(at, int(min(littlefsMost, o.Size()-at)))
		if err != nil {
			return nil, err
		}
		if at > 0 {
			b = b[:min(int64(len(b)), at)]
		}
		list, _, ok := littlefsBlock(b)
		if !ok || len(list.super) < 24 {
			continue
		}
		version, block, count := binary.LittleEndian.Uint32(list.super), int64(binary.LittleEndian.Uint32(list.super[4:])), int64(binary.LittleEndian.Uint32(list.super[8:]))
		if version>>16 == 2 && block >= littlefsLeast && block <= 1<<20 && block%4 == 0 && count >= 2 && count <= 1<<24 && (at == 0 || at == block) {
			return list.super, nil
		}
	}
	return nil, tree.ErrNot
}

// pair reads what counts of one.
func (x *littlefsFS) pair(p littlefsPair) (littlefsList, error) {
	if x.left--; x.left < 0 || x.pairs[p] {
		return littlefsList{}, tree.Bad(int64(p[0])*x.block, "its lists lead back into themselves")
	}
	x.pairs[p] = true
	var best littlefsList
	var newest uint32
	found := false
	for _, n := range p {
		at := int64(n) * x.block
		if int64(n) >= x.count || at >= x.o.Size() {
			continue
		}
		b, err := x.o.Read(at, int(min(x.block, x.o.Size()-at)))
		if err != nil {
			return best, err
		}
		list, revision, ok := littlefsBlock(b)
		if ok && (!found || int32(revision-newest) > 0) {
			best, newest, found = list, revision, true
		}
	}
	if !found {
		return best, tree.Bad(int64(p[0])*x.block, "blocks %d and %d hold no whole list", p[0], p[1])
	}
	return best, nil
}

// list gives the names in a folder.
func (x *littlefsFS) list(id uint64) (names []tree.Named, err error) {
	at := littlefsPairOf(x.files[id].data)
	for {
		list, err := x.pair(at)
		if err != nil {
			return names, err
		}
		for _, f := range list.files {
			if len(x.files) >= 1<<20 {
				return names, fmt.Errorf("it has more files than are told of")
			}
			x.files = append(x.files, f)
			names = append(names, tree.Named{Name: f.name, ID: uint64(len(x.files) - 1)})
		}
		if !list.more {
			return names, nil
		}
		at = list.next
	}
}

func littlefsPairOf(b []byte) littlefsPair {
	return littlefsPair{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

func (x *littlefsFS) tell(path string, id uint64) (*tree.Node, error) {
	f := x.files[id]
	switch {
	case f.folder && f.kind == littlefsPairAt && len(f.data) == 8:
		return x.o.Entry(path, tree.File{Mode: fs.ModeDir | 0o755}, nil)
	case f.folder:
		return nil, tree.Bad(-1, "the folder has no list")
	case f.kind == littlefsInline:
		return x.o.Entry(path, tree.Regular(), func(w io.Writer) error {
			_, err := w.Write(f.data)
			return err
		})
	case f.kind == littlefsChain && len(f.data) == 8:
		head, size := binary.LittleEndian.Uint32(f.data), int64(binary.LittleEndian.Uint32(f.data[4:]))
		return x.o.Entry(path, tree.Regular(), func(w io.Writer) error { return x.chain(w, head, size) })
	}
	return nil, tree.Bad(-1, "nothing says where the content of the file is")
}

// chain writes a file that lies in blocks of its own. They are linked from the last one back to the first: block n, counted from 0, begins with
// as many pointers as 2 divides n, and one more, of which the first leads to the block before.
func (x *littlefsFS) chain(w io.Writer, head uint32, size int64) error {
	if size == 0 {
		return nil
	}
	if size > min(x.block*x.count, x.o.Size()) {
		return tree.Bad(-1, "it is said to be %d bytes long, more than all", size)
	}
	n := x.blocks(size)
	order := make([]uint32, n)
	for i := n - 1; ; i-- {
		if int64(head) >= x.count {
			return tree.Bad(-1, "its chain leads to block %d of %d", head, x.count)
		}
		order[i] = head
		if i == 0 {
			break
		}
		b, err := x.o.Read(int64(head)*x.block, 4)
		if err != nil {
			return err
		}
		head = binary.LittleEndian.Uint32(b)
	}
	if err := x.work.take(int(size)); err != nil {
		return err
	}
	for i, block := range order {
		skip := littlefsPointers(i)
		part := min(x.block-skip, size)
		b, err := x.o.Read(int64(block)*x.block+skip, int(part))
		if err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		size -= part
	}
	return nil
}

// littlefsPointers is how many bytes of pointers block n of a chain begins with.
func littlefsPointers(n int) int64 {
	if n == 0 {
		return 0
	}
	return 4 * int64(bits.TrailingZeros(uint(n))+1)
}

// blocks is how many blocks the chain of a file of so many bytes has.
func (x *littlefsFS) blocks(size int64) (n int) {
	for ; size > 0; n++ {
		size -= x.block - littlefsPointers(n)
	}
	return n
}
