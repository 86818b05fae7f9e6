package archive

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// tape is tar: the old format with a checksum, USTAR, PAX and GNU's.
var tape = tree.Format{
	ID: "tar", Title: "tar archive", Magic: []tree.Magic{{At: 257, Bytes: "ustar\x00"}, {At: 257, Bytes: "ustar "}}, Search: true, Open: openTar,
}

func openTar(o *tree.Opening) error {
	data := io.NewSectionReader(o.Data, 0, o.Size())
	taken := func() int64 {
		at, _ := data.Seek(0, io.SeekCurrent)
		return min(at, o.Size())
	}
	r := tar.NewReader(data)
	for n := 0; ; n++ {
		h, err := r.Next()
		if err != nil && n == 0 {
			return tree.ErrNot
		}
		if errors.Is(err, io.EOF) {
			o.Ends(tarEnd(o, taken()))
			o.Describe("%d entries", n)
			return nil
		}
		if err != nil {
			return tree.Bad(taken(), "%v", err)
		}
		f := tree.File{Mode: h.FileInfo().Mode(), UID: h.Uid, GID: h.Gid, Modified: h.ModTime.UTC()}
		switch h.Typeflag {
		case tar.TypeSymlink:
			f.Target = h.Linkname
		case tar.TypeLink:
			f.Mode, f.Target = f.Mode.Perm()|fs.ModeIrregular, h.Linkname // another name of a file that is there
		case tar.TypeReg, tar.TypeGNUSparse:
			if !sparse(h) {
				_, err = o.Stored(h.Name, f, taken(), h.Size)
			} else {
				_, err = o.Entry(h.Name, f, func(w io.Writer) error { _, err := io.Copy(w, r); return err })
			}
			if err != nil {
				return err
			}
			continue
		}
		if _, err := o.Entry(h.Name, f, nil); err != nil {
			return err
		}
	}
}

// tarEnd is where the zeros after the last entry end: GNU tar fills up to 10,240 bytes.
func tarEnd(o *tree.Opening, at int64) int64 {
	const record = 10_240
	for end := at; end < (at+record-1)/record*record && end < o.Size(); end += 512 {
		b, err := o.Read(end, int(min(512, o.Size()-end)))
		if err != nil {
			return at
		}
		for _, c := range b {
			if c != 0 {
				return end
			}
		}
	}
	return min((at+record-1)/record*record, o.Size())
}

// sparse says whether what is stored leaves out the holes of a file, in one of the ways of GNU tar.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}
