package compress

import (
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

var (
	// gz is gzip, RFC 1952: members, one after another.
	gz = tree.Format{ID: "gzip", Title: "gzip stream", Magic: []tree.Magic{{At: 0, Bytes: "\x1f\x8b\x08"}}, Search: true, Open: openGzip}

	// zl is zlib, RFC 1950. It has no magic to speak of, so that nothing counts but a stream whose checksum fits.
	zl = tree.Format{
		ID: "zlib", Title: "zlib stream", Search: true, Open: openZlib,
		Magic: []tree.Magic{{At: 0, Bytes: "\x78\x01"}, {At: 0, Bytes: "\x78\x5e"}, {At: 0, Bytes: "\x78\x9c"}, {At: 0, Bytes: "\x78\xda"}},
	}

	// bz2 is bzip2: streams, one after another.
	bz2 = tree.Format{ID: "bzip2", Title: "bzip2 stream", Magic: []tree.Magic{{At: 0, Bytes: "BZh"}}, Search: true, Open: openBzip2}

	// xzs is xz: streams, one after another, zeros between them.
	xzs = tree.Format{ID: "xz", Title: "xz stream", Magic: []tree.Magic{{At: 0, Bytes: xzMagic}}, Search: true, Open: openXZ}

	// lzmas is the format of .lzma files, which has no magic: what is looked for are the contexts that are in use, with a small dictionary.
	lzmas = tree.Format{
		ID: "lzma", Title: "LZMA stream", Search: true, Open: openLZMA,
		Magic: []tree.Magic{{At: 0, Bytes: "\x5d\x00\x00"}, {At: 0, Bytes: "\x6d\x00\x00"}, {At: 0, Bytes: "\x5e\x00\x00"}, {At: 0, Bytes: "\x66\x00\x00"}},
	}
)

const leastZlib = 64 // bytes of a zlib stream in the midst of other data

// made has a content made of what read gives, and its extent told. Data of which not even least bytes come are something else.
func made(o *tree.Opening, name string, least int64, unpack func(w io.Writer) error, at func() int64) error {
	n, err := o.Made(name, unpack)
	if err != nil {
		return err
	}
	if n.Size() < least && len(n.Notes) > 0 {
		return tree.ErrNot
	}
	o.Ends(at())
	return nil
}

// counted is a buffered reader of what is opened, and says how much was taken from it.
func counted(o *tree.Opening) (*reader, func() int64) {
	r := newReader(o.Data)
	return r, r.taken
}

func openGzip(o *tree.Opening) error {
	in, at := counted(o)
	r, err := gzip.NewReader(in.Reader)
	if err != nil {
		return tree.ErrNot
	}
	r.Multistream(false)
	name := r.Name
	if name == "" {
		name = "content"
	}
	if r.ModTime.Unix() > 0 {
		o.Describe("of %s", r.ModTime.UTC().Format("2006-01-02"))
	}
	end := int64(0)
	return made(o, name, 1, func(w io.Writer) error {
		for {
			if _, err := io.Copy(w, r); err != nil {
				end = at()
				return err
			}
			end = at()
			if next, err := in.Peek(3); err != nil || string(next) != "\x1f\x8b\x08" || r.Reset(in.Reader) != nil {
				return nil
			}
			r.Multistream(false)
		}
	}, func() int64 { return end })
}

func openZlib(o *tree.Opening) error {
	// Two bytes of it are common: what they begin is tried on a little first.
	head, err := o.Read(0, int(min(o.Size(), 512)))
	if err != nil {
		return err
	}
	if _, err := unzlib(nil, head, leastZlib); err != ErrTooLarge {
		return tree.ErrNot
	}
	in, at := counted(o)
	r, err := zlib.NewReader(in.Reader)
	if err != nil {
		return tree.ErrNot
	}
	defer r.Close()
	n, err := o.Made("content", func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
	if err != nil {
		return err
	}
	if len(n.Notes) > 0 {
		return tree.ErrNot
	}
	o.Ends(at())
	return nil
}

func openBzip2(o *tree.Opening) error {
	head, err := o.Read(0, 10)
	if err != nil || head[3] < '1' || head[3] > '9' || string(head[4:]) != "\x31\x41\x59\x26\x53\x59" {
		return tree.ErrNot
	}
	in, at := counted(o)
	end := at
	return made(o, "content", 1, func(w io.Writer) error {
		_, err := io.Copy(w, bzip2.NewReader(in.Reader))
		var odd bzip2.StructuralError
		if errors.As(err, &odd) && strings.Contains(string(odd), "continuation") { // what follows is no other stream, of which it took two bytes
			end = func() int64 { return at() - 2 }
			return nil
		}
		return err
	}, func() int64 { return end() })
}

func openXZ(o *tree.Opening) error {
	x := &xz{lzma: lzma{in: &input{}}}
	x.in.reset(nil, o.Data)
	end := int64(0)
	return made(o, "content", 1, func(w io.Writer) error {
		x.toWriter(w)
		x.out = w
		for {
			if err := x.stream(); err != nil {
				end = x.in.taken()
				return err
			}
			end = x.in.taken()
			if !x.another() {
				return nil
			}
		}
	}, func() int64 { return end })
}

// another passes over the padding behind a stream, and reports whether there is one more.
func (x *xz) another() bool {
	for x.in.fill(4) == nil && binary.LittleEndian.Uint32(x.in.b[x.in.at:]) == 0 {
		x.in.at += 4
	}
	return x.in.fill(len(xzMagic)) == nil && string(x.in.b[x.in.at:x.in.at+len(xzMagic)]) == xzMagic
}

const (
	leastLZMA   = 4096    // bytes that come of data that are LZMA, even if they break off
	largestLZMA = 4 << 30 // that an .lzma file is believed to hold
)

func openLZMA(o *tree.Opening) error {
	head, err := o.Read(0, lzmaHead+5)
	if err != nil {
		return tree.ErrNot
	}
	dict, size := binary.LittleEndian.Uint32(head[1:]), int64(binary.LittleEndian.Uint64(head[5:]))
	top := dict
	for top&(top-1) != 0 {
		top &= top - 1
	}
	if head[lzmaHead] != 0 || dict < 4096 || dict != top && dict != top|top>>1 || size < -1 || size == 0 || size > largestLZMA {
		return tree.ErrNot
	}
	d := &lzma{in: &input{}}
	d.in.reset(nil, o.Data)
	least := int64(leastLZMA)
	if size > 0 {
		least = min(least, size)
	}
	return made(o, "content", least, func(w io.Writer) error {
		d.toWriter(w)
		size, err := d.alone()
		if err != nil {
			return err
		}
		err = d.all(size)
		if flushed := d.flush(); flushed != nil {
			return flushed
		}
		return err
	}, d.in.taken)
}
