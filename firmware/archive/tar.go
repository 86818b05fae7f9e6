package archive

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// tape is tar: the old format with a checksum, USTAR, PAX and GNU's.
var tape = tree.Format{
	ID: "tar", Title: "tar archive", Magic: []tree.Magic{{At: 257, Bytes: "ustar\x00"}, {At: 257, Bytes: "ustar "}}, Search: true, Open: openTar,
}

func openTar(o *tree.Opening) error {
	taken := &position{r: o.Data}
	r := tar.NewReader(taken)
	for n := 0; ; n++ {
		h, err := r.Next()
		if err != nil && n == 0 {
			return tree.ErrNot
		}
		if errors.Is(err, io.EOF) {
			o.Ends(tarEnd(o, taken.at))
			o.Describe("%d entries", n)
			return nil
		}
		if err != nil {
			return tree.Bad(taken.at, "%v", err)
		}
		f := tree.File{Mode: h.FileInfo().Mode(), UID: h.Uid, GID: h.Gid, Modified: h.ModTime.UTC()}
		switch h.Typeflag {
		case tar.TypeSymlink:
			f.Target = h.Linkname
		case tar.TypeLink:
			f.Mode, f.Target = f.Mode.Perm()|fs.ModeIrregular, h.Linkname // another name of a file that is there
		case tar.TypeReg, tar.TypeGNUSparse:
			if _, err = o.Entry(h.Name, f, func(w io.Writer) error { _, err := io.Copy(w, r); return err }); err != nil {
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

// position reads and remembers how far.
type position struct {
	r  io.Reader
	at int64
}

func (p *position) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.at += int64(n)
	return n, err
}
