package tree

import (
	"errors"
	"io"
	"io/fs"
)

// Named is a name in a folder of a file system, and the number by which the file system knows what is so called.
type Named struct {
	Name string
	ID   uint64
}

// Walk tells of all files of a file system from a folder on. list gives the names in a folder; tell tells of what one names, by Entry or
// Stored. Whatever the file system says, each folder is gone into once; a second name of a file becomes an entry with ModeIrregular
// whose Target is the first. What list or tell cannot read is noted.
func (o *Opening) Walk(root uint64, list func(id uint64) ([]Named, error), tell func(path string, id uint64) (*Node, error)) error {
	type folder struct {
		path string
		id   uint64
	}
	told := map[uint64]*Node{root: nil}
	waiting := []folder{{"", root}}
	for len(waiting) > 0 {
		at := waiting[len(waiting)-1]
		waiting = waiting[:len(waiting)-1]
		names, err := list(at.id)
		if err != nil {
			if o.Over(err) {
				return err
			}
			o.odd(at.path, err)
		}
		first := len(waiting)
		for _, entry := range names {
			if entry.Name == "." || entry.Name == ".." {
				continue
			}
			path := at.path + entry.Name
			if len(path) > 4096 {
				o.Note(-1, "the folders are nested so deep that a path has %d bytes: %.60q…", len(path), path)
				continue
			}
			if n, known := told[entry.ID]; known {
				err = o.again(path, n)
			} else if n, err = tell(path, entry.ID); n != nil {
				told[entry.ID] = n
				if n.File.Mode.IsDir() {
					waiting = append(waiting, folder{path + "/", entry.ID})
				}
			}
			if err != nil {
				if o.Over(err) {
					return err
				}
				o.odd(path, err)
			}
		}
		for i, j := first, len(waiting)-1; i < j; i, j = i+1, j-1 { // the first is gone into first
			waiting[i], waiting[j] = waiting[j], waiting[i]
		}
	}
	return nil
}

// again tells of another name of what was told of.
func (o *Opening) again(path string, n *Node) error {
	if n == nil || n.File.Mode.IsDir() {
		o.Note(-1, "%q is a second name of a folder", path)
		return nil
	}
	f := *n.File
	f.Mode, f.Target = f.Mode|fs.ModeIrregular, n.Name
	_, err := o.Entry(path, f, nil)
	return err
}

// odd notes an error that was met at a path, at its place.
func (o *Opening) odd(path string, err error) {
	if path == "" {
		path = "/"
	}
	var at *offsetError
	if errors.As(err, &at) {
		o.Note(at.offset, "%q: %s", path, at.text)
		return
	}
	o.Note(-1, "%q: %v", path, err)
}

// Over reports whether an error ends the whole: a reader returns it upwards at once.
func (o *Opening) Over(err error) bool { return errors.Is(err, ErrLimit) || o.ctx.Err() != nil }

// Holes writes what files leave out. All holes of a file system together are not larger than it is, or 256 MiB.
type Holes struct{ left int64 }

// NewHoles is for a file system of so many bytes.
func NewHoles(size int64) *Holes { return &Holes{max(256<<20, size)} }

var zeros [64 << 10]byte

// Write writes n zeros, or fails before it writes any.
func (h *Holes) Write(w io.Writer, n int64) error {
	if n > h.left {
		return Bad(-1, "from here on it is left out: a hole of %d bytes", n)
	}
	h.left -= n
	for n > 0 {
		part := min(n, int64(len(zeros)))
		if _, err := w.Write(zeros[:part]); err != nil {
			return err
		}
		n -= part
	}
	return nil
}
