package flash

import (
	"encoding/binary"
	"io/fs"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// romfs is the simple file system that is only read (Documentation/filesystems/romfs.rst). It keeps no owners, times or permissions; the
// modes are those that Linux shows.
var romfs = tree.Format{ID: "romfs", Title: "romfs file system", Magic: []tree.Magic{{At: 0, Bytes: "-rom1fs-"}}, Search: true, Open: openROMFS}

// romfsFS is a file system that is being read.
type romfsFS struct {
	o      *tree.Opening
	end    int64
	left   int   // heads of files that may still be read: each is there once
	stored int64 // bytes that may still be told of as they lie
}

// romfsFile is the head of a file.
type romfsFile struct {
	next       int64
	kind       int
	executable bool
	info       int64 // of a folder its first file, of a hard link what it names
	size       int64
	name       string
	data       int64 // where it begins
}

const (
	romfsHard, romfsFolder, romfsRegular, romfsLink = 0, 1, 2, 3
)

// romfsModes are those of the kinds of files, as in st_mode.
var romfsModes = [8]uint32{0, 0o040644, 0o100644, 0o120777, 0o060600, 0o020600, 0o140644, 0o010644}

func openROMFS(o *tree.Opening) error {
	head, err := o.Read(0, int(min(512, o.Size())))
	if err != nil || len(head) < 32 || string(head[:8]) != "-rom1fs-" {
		return tree.ErrNot
	}
	size := int64(binary.BigEndian.Uint32(head[8:]))
	if size < 32 || romfsSum(head[:min(int64(len(head)), size)]) != 0 && size <= o.Size() {
		return tree.ErrNot
	}
	if size > o.Size() {
		o.Note(8, "it is said to be %d bytes long, and %d are there", size, o.Size())
	}
	x := &romfsFS{o: o, end: min(size, o.Size())}
	x.left, x.stored = int(2*x.end/32), x.end
	name, first, err := x.text(16)
	if err != nil {
		return tree.ErrNot
	}
	o.Ends(x.end)
	o.Describe("%q", name)
	root, err := x.file(first)
	if err != nil {
		return err
	}
	from := first
	if root.kind == romfsFolder { // ".", whose first file is itself as a rule
		from = root.info
	}
	return o.Walk(0, func(id uint64) ([]tree.Named, error) {
		if id == 0 {
			return x.list(from)
		}
		f, err := x.file(int64(id))
		if err != nil {
			return nil, err
		}
		return x.list(f.info)
	}, x.tell)
}

// romfsSum adds the words up.
func romfsSum(b []byte) (sum uint32) {
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.BigEndian.Uint32(b)
	}
	return sum
}

// text reads one that ends with a zero and is padded to 16 bytes, and says where what follows begins.
func (x *romfsFS) text(at int64) (s string, next int64, err error) {
	var b []byte
	for len(b) <= 4096 {
		part, err := x.o.Read(at, 16)
		if err != nil {
			return "", 0, err
		}
		at += 16
		b = append(b, part...)
		if slices.Contains(part, 0) {
			return text(b), at, nil
		}
	}
	return "", 0, tree.Bad(at, "a name does not end")
}

// file reads the head of one.
func (x *romfsFS) file(at int64) (f romfsFile, err error) {
	if x.left--; x.left < 0 {
		return f, tree.Bad(at, "the folders have more files than there can be")
	}
	b, err := x.o.Read(at, 16)
	if err != nil {
		return f, err
	}
	word := func(at int) int64 { return int64(binary.BigEndian.Uint32(b[at:])) }
	f = romfsFile{next: word(0) &^ 15, kind: int(word(0) & 7), executable: word(0)&8 != 0, info: word(4), size: word(8)}
	f.name, f.data, err = x.text(at + 16)
	return f, err
}

// list gives the files from one on. A hard link is a second name of what it names.
func (x *romfsFS) list(at int64) (names []tree.Named, err error) {
	for at != 0 {
		f, err := x.file(at)
		if err != nil {
			return names, err
		}
		id := at
		if f.kind == romfsHard {
			id = f.info
		}
		if f.name != "." && f.name != ".." {
			names = append(names, tree.Named{Name: f.name, ID: uint64(id)})
		}
		at = f.next
	}
	return names, nil
}

func (x *romfsFS) tell(path string, id uint64) (*tree.Node, error) {
	at := int64(id)
	f, err := x.file(at)
	if err != nil {
		return nil, err
	}
	if f.kind == romfsHard {
		return nil, tree.Bad(at, "a hard link names a hard link")
	}
	mode := romfsModes[f.kind]
	if f.executable {
		mode |= 0o111
	}
	file := tree.File{Mode: tree.UnixMode(mode)}
	if file.Mode&fs.ModeSymlink != 0 {
		target, err := x.o.Read(f.data, int(min(f.size, 4096)))
		if err != nil {
			return nil, err
		}
		file.Target = string(target)
	}
	if f.kind != romfsRegular {
		return x.o.Entry(path, file, nil)
	}
	if x.stored -= f.size; x.stored < 0 {
		return nil, tree.Bad(at+8, "the files are said to be larger than all")
	}
	return x.o.Stored(path, file, f.data, f.size)
}
