// Package squash reads Squashfs file systems, of versions 4.0 and 3.x, in both byte orders, as the kernel's
// Documentation/filesystems/squashfs.rst and the headers of squashfs-tools (squashfs_fs.h, squashfs_compat.h) describe them.
package squash

import (
	"time"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Formats are those of this package.
var Formats = []tree.Format{{
	ID: "squashfs", Title: "Squashfs file system", Search: true, Open: open,
	Magic: []tree.Magic{
		{At: 0, Bytes: "hsqs"}, {At: 0, Bytes: "sqsh"}, // as it should be
		{At: 0, Bytes: "shsq"}, {At: 0, Bytes: "qshs"}, {At: 0, Bytes: "hsqt"}, {At: 0, Bytes: "tqsh"}, {At: 0, Bytes: "sqlz"}, {At: 0, Bytes: "zlqs"}, // of vendors, mostly with LZMA
	},
}}

// FileSystem is what a Squashfs file system says of itself.
type FileSystem struct {
	Major, Minor int
	BigEndian    bool
	Compression  string // what its blocks are read with
	BlockSize    int
	Made         time.Time
}

// image is a file system that is being read.
type image struct {
	o *tree.Opening
	super
	codec codec
	meta  map[int64]metaBlock
	work  int64 // bytes that were unpacked
}

// maxWork bounds what is unpacked, whether it is kept or not, so that no image has the same blocks unpacked again and again.
func (m *image) maxWork() int64 { return max(4<<30, 16*m.o.Size()) }

func open(o *tree.Opening) error {
	s, err := readSuper(o)
	if err != nil {
		return err
	}
	m := &image{o: o, super: s, meta: map[int64]metaBlock{}}
	root, err := m.findCodec()
	if err != nil {
		return err
	}
	if s.used > o.Size() {
		o.Note(0, "it is said to be %d bytes long, and %d are there", s.used, o.Size())
	}
	o.Ends(s.used)
	order := "little-endian"
	if s.big {
		order = "big-endian"
	}
	o.Describe("%d.%d, %s, %s, %d KiB blocks, made %s", s.major, s.minor, order, m.codec.title, s.blockSize>>10, s.made.Format("2006-01-02"))
	o.Info(&FileSystem{s.major, s.minor, s.big, m.codec.title, s.blockSize, s.made})
	entries, err := m.walk(root)
	if emitted := m.emit(entries); emitted != nil {
		return emitted
	}
	return err
}
