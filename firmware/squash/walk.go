package squash

import (
	"fmt"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

const (
	maxEntries = 400_000
	maxPath    = 4096
	maxNames   = 64 << 20 // bytes of all paths
)

// entry is a file under one of its names.
type entry struct {
	name string
	inode
	other  string // the name under which it came before; it is told of as tar tells of such a link
	broken error  // its inode could not be read
}

// walker goes through the folders.
type walker struct {
	*image
	entries []entry
	names   int               // bytes of their paths
	seen    map[uint64]bool   // folders, by where their lists are
	files   map[uint64]string // those with several names, by where their inodes are
}

// walk lists the whole tree, each folder followed by what is in it. With an error the list is of what was found until then.
func (m *image) walk(root inode) ([]entry, error) {
	w := &walker{image: m, seen: map[uint64]bool{}, files: map[uint64]string{}}
	err := w.folder("", root)
	return w.entries, err
}

// folder lists what is in one. Only errors that end the walk are returned.
func (w *walker) folder(path string, n inode) error {
	if n.size <= 3 {
		return nil
	}
	place := uint64(n.start)<<16 | uint64(n.offset)
	if w.seen[place] {
		w.o.Note(w.directoryTable, "the list of folder %q is also that of another: it is left out", path)
		return nil
	}
	w.seen[place] = true
	if len(path) > maxPath {
		w.o.Note(w.directoryTable, "the path %.80q… is longer than %d bytes: what is there is left out", path, maxPath)
		return nil
	}
	c := w.at(w.directoryTable, uint64(n.start), n.offset)
	for left := n.size - 3; left > 0; {
		used, err := w.group(c, path)
		if err != nil {
			if w.ends(err) {
				return err
			}
			w.o.Note(c.block, "the list of folder %q breaks off: %v", path, err)
			return nil
		}
		left -= used
	}
	return nil
}

// ends reports whether an error is more than one of the file system.
func (w *walker) ends(err error) bool { return w.o.Context().Err() != nil || isLimit(err) }

// group lists one header and the entries behind it, and says how many bytes that were.
func (w *walker) group(c *cursor, path string) (int64, error) {
	size := 12
	if w.major == 3 {
		size = 9
	}
	f, err := c.fields(size)
	if err != nil {
		return 0, err
	}
	var count int
	var start uint64
	if w.major == 3 {
		count, start = int(f.bits(8))+1, f.bits(32)
	} else {
		count, start = int(f.bits(32))+1, f.bits(32)
	}
	if count > 256 {
		return 0, fmt.Errorf("%d entries under one header, where 256 are the most", count)
	}
	used := int64(size)
	for range count {
		n, err := w.one(c, path, start)
		if err != nil {
			return 0, err
		}
		used += n
	}
	return used, nil
}

// one reads an entry, and lists what is in it if it is a folder.
func (w *walker) one(c *cursor, path string, start uint64) (int64, error) {
	var offset, length int
	used := int64(8)
	if w.major == 3 {
		f, err := c.fields(5)
		if err != nil {
			return 0, err
		}
		offset = int(f.bits(13))
		f.skip(3)
		length, used = int(f.bits(8))+1, 5
	} else {
		f, err := c.fields(8)
		if err != nil {
			return 0, err
		}
		offset = int(f.bits(16))
		f.skip(32)
		length = int(f.bits(16)) + 1
	}
	if length > 256 {
		return 0, fmt.Errorf("a name of %d bytes", length)
	}
	b, err := c.read(length)
	if err != nil {
		return 0, err
	}
	name := string(b)
	if strings.Contains(name, "/") {
		w.o.Note(c.block, "a file in %q is called %q", path, name)
		name = strings.ReplaceAll(name, "/", "?")
	}
	if path != "" {
		name = path + "/" + name
	}
	if w.names += len(name); len(w.entries) >= maxEntries || w.names > maxNames {
		return 0, fmt.Errorf("%w: it holds more than %d files, or longer paths than %d bytes in all", tree.ErrLimit, maxEntries, maxNames)
	}
	ref := start<<16 | uint64(offset)
	n, err := w.inode(ref)
	if err != nil && w.ends(err) {
		return 0, err
	}
	w.entries = append(w.entries, entry{name, n, w.files[ref], err})
	if n.links > 1 && n.kind == kindFile && w.files[ref] == "" {
		w.files[ref] = name
	}
	if err == nil && n.kind == kindFolder {
		err = w.folder(name, n)
		return used + int64(length), err
	}
	return used + int64(length), nil
}
