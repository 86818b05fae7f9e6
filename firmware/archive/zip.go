package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// zipped is ZIP as in PKWARE's APPNOTE.TXT, without encryption and without parts on several disks.
var zipped = tree.Format{ID: "zip", Title: "ZIP archive", Magic: []tree.Magic{{At: 0, Bytes: "PK\x03\x04"}, {At: 0, Bytes: "PK\x05\x06"}}, Search: true, Open: openZIP}

// Who made an entry, in the upper byte of its version.
const (
	byUnix   = 3
	byDarwin = 19
)

const (
	zipEnd     = "PK\x05\x06"
	zipEndSize = 22 // bytes of the end record, without its comment

	zipDirectory = 16 << 20 // bytes of the directory and of the end: what is kept of the entries is ten times as much
)

// bounded fails when more was read than is left.
type bounded struct {
	r    io.ReaderAt
	left int64
}

func (b *bounded) ReadAt(p []byte, at int64) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, tree.ErrLimit
	}
	return b.r.ReadAt(p, at)
}

func openZIP(o *tree.Opening) error {
	size, err := zipSize(o)
	if err != nil {
		return err
	}
	data := &bounded{r: o.Data, left: zipDirectory}
	r, err := zip.NewReader(data, size)
	if data.left < 0 {
		return tree.Bad(size, "its directory is longer than %d bytes", zipDirectory)
	}
	if err != nil {
		return tree.ErrNot
	}
	data.left = math.MaxInt64
	o.Ends(size)
	o.Describe("%d entries", len(r.File))
	for _, f := range r.File {
		if err := zipEntry(o, f); err != nil {
			return err
		}
	}
	return nil
}

func zipEntry(o *tree.Opening, f *zip.File) error {
	about := tree.File{Mode: f.Mode(), Modified: f.Modified}
	if by := f.CreatorVersion >> 8; by != byUnix && by != byDarwin { // it tells no permissions
		about.Mode = about.Mode&fs.ModeType | 0o644
	}
	const encrypted = 1
	if f.Flags&encrypted != 0 {
		o.Note(-1, "%q is encrypted", f.Name)
		about.Mode &^= fs.ModeType
		_, err := o.Entry(f.Name, about, nil)
		return err
	}
	if about.Mode&fs.ModeSymlink != 0 {
		about.Target = zipTarget(f)
	}
	if at, err := f.DataOffset(); err == nil && f.Method == zip.Store && about.Mode.IsRegular() && f.CompressedSize64 == f.UncompressedSize64 {
		_, err := o.Stored(f.Name, about, at, int64(f.UncompressedSize64))
		return err
	}
	_, err := o.Entry(f.Name, about, func(w io.Writer) error {
		r, err := f.Open()
		if err != nil {
			return fmt.Errorf("unpack %q: %w", f.Name, err)
		}
		defer r.Close()
		_, err = io.Copy(w, r)
		return err
	})
	return err
}

// zipTarget is where a symbolic link leads.
func zipTarget(f *zip.File) string {
	r, err := f.Open()
	if err != nil {
		return ""
	}
	defer r.Close()
	b, _ := io.ReadAll(io.LimitReader(r, 4096))
	return string(b)
}

// zipSize is where the archive that begins the data ends: behind the first end record whose directory ends where it begins. An archive
// with sizes of 64 bits goes on to the end of the data.
func zipSize(o *tree.Opening) (int64, error) {
	const (
		window = 1 << 20
		wide   = 0xffffffff
	)
	for base := int64(0); base < o.Size(); base += window {
		b, err := o.Read(base, int(min(window+zipEndSize, o.Size()-base)))
		if err != nil {
			return 0, err
		}
		for i := 0; ; i++ {
			next := bytes.Index(b[i:], []byte(zipEnd))
			if next < 0 || i+next >= window || len(b)-i-next < zipEndSize {
				break
			}
			i += next
			at := base + int64(i)
			length, offset := int64(binary.LittleEndian.Uint32(b[i+12:])), int64(binary.LittleEndian.Uint32(b[i+16:]))
			end := at + zipEndSize + int64(binary.LittleEndian.Uint16(b[i+20:]))
			if length == wide || offset == wide {
				return o.Size(), nil
			}
			if offset+length == at && end <= o.Size() {
				return end, nil
			}
		}
	}
	return 0, tree.ErrNot
}
