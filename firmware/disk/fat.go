package disk

import (
	"encoding/binary"
	"io"
	"io/fs"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// fat is the file system with a file allocation table of 12, 16 or 32 bits (Microsoft's "FAT: General Overview of On-Disk Format"), with
// long names.
var fat = tree.Format{ID: "fat", Title: "FAT file system", Magic: []tree.Magic{{At: 510, Bytes: "\x55\xaa"}}, Search: true, Open: openFAT}

// FAT is what the boot sector of a FAT file system says.
type FAT struct {
	Bits        int // of an entry of the table
	ClusterSize int
	Label       string
	Serial      uint32
}

// fatFS is a file system that is being read.
type fatFS struct {
	o        *tree.Opening
	bits     int
	sector   int64
	cluster  int64 // bytes
	tables   int64 // offset of the first table
	root     int64 // offset of the root folder, of 12 and 16 bits
	rootSize int64
	rootAt   uint32 // its first cluster, of 32 bits
	data     int64  // offset of cluster 2
	clusters int64
	found    []fatEntry // by the numbers that Walk knows them by, from 1 on
	read     []byte     // of clusters, whether a folder took them
	steps    int64      // along chains that may still be made: each cluster is in one
	stored   int64      // bytes that may still be told of as they lie: each is in one file
}

// fatEntry is an entry of a folder.
type fatEntry struct {
	at      int64
	file    tree.File
	cluster uint32
	size    int64
}

func openFAT(o *tree.Opening) error {
	b, err := o.Read(0, 512)
	if err != nil {
		return tree.ErrNot
	}
	x, sectors, ok := fatGeometry(b)
	if !ok {
		return tree.ErrNot
	}
	x.o = o
	first, err := o.Read(x.tables, 4)
	if err != nil || first[0] != b[21] || first[1] != 0xff || x.bits != 12 && first[2] < 0xf0 || first[2]&0xf == 0 {
		return tree.ErrNot
	}
	size := sectors * x.sector
	if size > o.Size() {
		o.Note(19, "it is said to be %d bytes long, and %d are there", size, o.Size())
	}
	o.Ends(size)
	extended := b[36:]
	if x.bits == 32 {
		extended = b[64:]
	}
	info := &FAT{Bits: x.bits, ClusterSize: int(x.cluster)}
	if extended[2] == 0x29 {
		info.Serial, info.Label = binary.LittleEndian.Uint32(extended[3:]), strings.TrimRight(fromCP437(extended[7:18]), " ")
	}
	o.Info(info)
	o.Describe("FAT%d, clusters of %d bytes, %q", x.bits, x.cluster, info.Label)
	x.steps, x.stored = 8*x.clusters+1<<16, min(size, o.Size())
	x.read = make([]byte, min(x.clusters, o.Size()/x.cluster)/8+1)
	return o.Walk(0, x.list, x.tell)
}

// fatGeometry reads the boot sector, and says whether it can be one.
func fatGeometry(b []byte) (x *fatFS, sectors int64, ok bool) {
	half := func(at int) int64 { return int64(binary.LittleEndian.Uint16(b[at:])) }
	word := func(at int) int64 { return int64(binary.LittleEndian.Uint32(b[at:])) }
	x = &fatFS{sector: half(11)}
	perCluster, reserved, tables, media := int64(b[13]), half(14), int64(b[16]), b[21]
	switch {
	case !(b[0] == 0xeb && b[2] == 0x90 || b[0] == 0xe9 || b[0] == 0),
		x.sector < 512, x.sector > 4096, x.sector&(x.sector-1) != 0,
		perCluster == 0, perCluster&(perCluster-1) != 0,
		reserved == 0, tables < 1, tables > 2, media != 0xf0 && media < 0xf8:
		return nil, 0, false
	}
	x.cluster, x.rootSize = perCluster*x.sector, 32*half(17)
	perTable := half(22)
	if perTable == 0 {
		perTable = word(36)
	}
	if sectors = half(19); sectors == 0 {
		sectors = word(32)
	}
	x.tables = reserved * x.sector
	x.root = x.tables + tables*perTable*x.sector
	x.data = x.root + (x.rootSize+x.sector-1)/x.sector*x.sector
	x.clusters = (sectors*x.sector - x.data) / x.cluster
	switch {
	case half(22) == 0:
		x.bits, x.rootAt = 32, uint32(word(44))
	case x.clusters < 4085:
		x.bits = 12
	default:
		x.bits = 16
	}
	entries := x.clusters + 2
	return x, sectors, perTable > 0 && x.clusters > 0 && perTable*x.sector*8 >= entries*int64(x.bits) && (x.bits == 32) == (x.rootSize == 0)
}

// next gives the cluster after one; 0: it is the last.
func (x *fatFS) next(cluster uint32) (uint32, error) {
	if cluster < 2 || int64(cluster) >= x.clusters+2 {
		return 0, tree.Bad(-1, "there is no cluster %d", cluster)
	}
	at := x.tables + int64(cluster)*int64(x.bits)/8
	b, err := x.o.Read(at, max(2, x.bits/8))
	if err != nil {
		return 0, err
	}
	var next, last uint32
	switch x.bits {
	case 12:
		next, last = uint32(binary.LittleEndian.Uint16(b))>>(4*(cluster&1))&0xfff, 0xff8
	case 16:
		next, last = uint32(binary.LittleEndian.Uint16(b)), 0xfff8
	default:
		next, last = binary.LittleEndian.Uint32(b)&0xfffffff, 0xffffff8
	}
	if next >= last {
		return 0, nil
	}
	if next < 2 || int64(next) >= x.clusters+2 {
		return 0, tree.Bad(at, "cluster %d is said to be followed by %d", cluster, next)
	}
	return next, nil
}

// chain calls f with where the clusters from one on lie, until f has enough or the chain ends.
func (x *fatFS) chain(cluster uint32, f func(cluster uint32, at int64) (enough bool, err error)) error {
	for n := int64(0); ; n++ {
		if n >= x.clusters {
			return tree.Bad(-1, "its chain of clusters has no end")
		}
		if x.steps--; x.steps < 0 {
			return tree.Bad(-1, "the chains of clusters are longer than there are clusters")
		}
		next, err := x.next(cluster)
		if err != nil && (cluster < 2 || int64(cluster) >= x.clusters+2) {
			return err
		}
		enough, failed := f(cluster, x.data+int64(cluster-2)*x.cluster)
		if failed != nil || enough {
			return failed
		}
		if err != nil {
			return err
		}
		if next == 0 {
			return nil
		}
		cluster = next
	}
}

func (x *fatFS) tell(path string, id uint64) (*tree.Node, error) {
	e := x.found[id-1]
	if e.file.Mode.IsDir() {
		return x.o.Entry(path, e.file, nil)
	}
	if at, whole := x.contiguous(e); whole && e.size <= x.stored {
		x.stored -= e.size
		return x.o.Stored(path, e.file, at, e.size)
	}
	return x.o.Entry(path, e.file, func(w io.Writer) error { return x.content(e, w) })
}

// contiguous says where a content lies when that is in one piece.
func (x *fatFS) contiguous(e fatEntry) (at int64, whole bool) {
	if e.size == 0 {
		return 0, false
	}
	next, left := e.cluster, e.size
	err := x.chain(e.cluster, func(cluster uint32, _ int64) (bool, error) {
		if cluster != next {
			return true, nil
		}
		next++
		left -= x.cluster
		return left <= 0, nil
	})
	at = x.data + (int64(e.cluster)-2)*x.cluster
	return at, err == nil && left <= 0 && at+e.size <= x.o.Size()
}

// content writes that of a file.
func (x *fatFS) content(e fatEntry, w io.Writer) error {
	if e.size == 0 {
		return nil
	}
	left := e.size
	err := x.chain(e.cluster, func(_ uint32, at int64) (bool, error) {
		b, err := x.o.Read(at, int(min(left, x.cluster)))
		if err != nil {
			return true, err
		}
		_, err = w.Write(b)
		left -= int64(len(b))
		return left <= 0, err
	})
	if err == nil && left > 0 {
		err = tree.Bad(e.at+28, "its clusters end %d bytes before it does", left)
	}
	return err
}

// list gives the names in a folder.
func (x *fatFS) list(id uint64) ([]tree.Named, error) {
	folder := &fatFolder{x: x}
	if id == 0 && x.bits != 32 {
		b, err := x.o.Read(x.root, int(x.rootSize))
		if err != nil {
			return nil, err
		}
		folder.entries(b, x.root)
		return folder.names, nil
	}
	cluster := x.rootAt
	if id > 0 {
		cluster = x.found[id-1].cluster
	}
	err := x.chain(cluster, func(cluster uint32, at int64) (bool, error) {
		if i := cluster / 8; int(i) < len(x.read) {
			if x.read[i]>>(cluster%8)&1 != 0 {
				return true, tree.Bad(at, "the folder goes on in a cluster of a folder")
			}
			x.read[i] |= 1 << (cluster % 8)
		}
		b, err := x.o.Read(at, int(x.cluster))
		if err != nil {
			return true, err
		}
		return folder.entries(b, at), nil
	})
	return folder.names, err
}

// fatMode is the mode of a file: the file system has none, and this is how Linux shows it.
func fatMode(attributes byte) fs.FileMode {
	mode := fs.FileMode(0o755)
	if attributes&1 != 0 {
		mode = 0o555
	}
	if attributes&fatIsFolder != 0 {
		mode |= fs.ModeDir
	}
	return mode
}
