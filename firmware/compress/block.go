package compress

import (
	"bytes"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// Block unpacks one block: it appends what src holds to dst, at most max bytes, else it fails with ErrTooLarge. After any error it still
// gives what it made until then. It may be called from several goroutines.
type Block func(dst, src []byte, max int) ([]byte, error)

// Blocks is the Block of a compression by its id; nil: there is none of that name.
func Blocks(id string) Block { return blocks[id] }

var blocks = map[string]Block{
	"xz":   unxz,
	"zlib": unzlib,
}

var xzPool = sync.Pool{New: func() any { return &xz{lzma: lzma{in: &input{}}} }}

// unxz unpacks one xz stream.
func unxz(dst, src []byte, max int) ([]byte, error) {
	x := xzPool.Get().(*xz)
	x.in.reset(src, nil)
	x.toSlice(dst, max)
	x.out = nil
	err := x.stream()
	out := x.buf[:x.at]
	x.window, x.in.b = window{}, nil
	xzPool.Put(x)
	return out, err
}

var zlibPool sync.Pool

// unzlib unpacks a stream of RFC 1950.
func unzlib(dst, src []byte, max int) ([]byte, error) {
	in := bytes.NewReader(src)
	r, _ := zlibPool.Get().(io.ReadCloser)
	if r == nil {
		fresh, err := zlib.NewReader(in)
		if err != nil {
			return dst, err
		}
		r = fresh
	} else if err := r.(zlib.Resetter).Reset(in, nil); err != nil {
		zlibPool.Put(r)
		return dst, err
	}
	out, err := readAll(dst, r, max)
	zlibPool.Put(r)
	return out, err
}

// readAll appends at most max bytes of r to dst.
func readAll(dst []byte, r io.Reader, max int) ([]byte, error) {
	out, limit := dst, len(dst)+max
	var over [1]byte // is read into when there should be no more
	for {
		room := over[:]
		if len(out) < limit {
			if len(out) == cap(out) {
				out = slices.Grow(out, min(limit-len(out), len(out)-len(dst)+4096))
			}
			room = out[len(out):min(cap(out), limit)]
		}
		n, err := r.Read(room)
		if n > 0 && len(out) == limit {
			return out, ErrTooLarge
		}
		out = out[:len(out)+n]
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}
