package compress

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Block unpacks one block: it appends what src holds to dst, at most max bytes, else it fails with ErrTooLarge. After any error it still
// gives what it made until then. It may be called from several goroutines.
type Block func(dst, src []byte, max int) ([]byte, error)

// Blocks is the Block of a compression by its id; nil: there is none of that name.
func Blocks(id string) Block { return blocks[id] }

// blocks are named as the file systems name them: "zlib" is RFC 1950, "deflate" RFC 1951 without a frame, "lzma" data behind the header of
// 13 bytes of an .lzma file, "lzo" LZO1X, "lz4" a block without a frame, "xz" and "zstd" a whole stream.
var blocks = map[string]Block{
	"deflate": undeflate,
	"lz4":     unlz4,
	"lzma":    unlzma,
	"lzo":     unlzo,
	"xz":      unxz,
	"zlib":    unzlib,
	"zstd":    unzstd,
}

var lzmaPool = sync.Pool{New: func() any { return &xz{lzma: lzma{in: &input{}}} }}

// pooled has a decoder append what it makes of src.
func pooled(dst, src []byte, max int, decode func(x *xz) error) ([]byte, error) {
	x := lzmaPool.Get().(*xz)
	x.in.reset(src, nil)
	x.toSlice(dst, max)
	x.out = nil
	err := decode(x)
	out := x.buf[:x.at]
	x.window, x.in.b = window{}, nil
	lzmaPool.Put(x)
	return out, err
}

// unxz unpacks one xz stream.
func unxz(dst, src []byte, max int) ([]byte, error) { return pooled(dst, src, max, (*xz).stream) }

// unlzma unpacks data behind the header of an .lzma file.
func unlzma(dst, src []byte, max int) ([]byte, error) {
	return pooled(dst, src, max, func(x *xz) error {
		size, err := x.alone()
		if err != nil {
			return err
		}
		return x.all(size)
	})
}

// LZMA is the Block of LZMA data without a header, which some vendors have: lc, lp and pb are the numbers of bits that are context. Without
// an end marker they end with src; then the last few bytes that are made may be none.
func LZMA(lc, lp, pb uint) Block {
	return func(dst, src []byte, max int) ([]byte, error) {
		return pooled(dst, src, max, func(x *xz) error {
			if lc > 8 || lp > 4 || pb > 4 {
				return errDamaged
			}
			if err := x.setProps(byte((pb*5+lp)*9 + lc)); err != nil {
				return err
			}
			if err := x.setDict(dictLimit); err != nil {
				return err
			}
			err := x.all(-1)
			if err == io.ErrUnexpectedEOF || errors.Is(err, ErrTooLarge) {
				return nil
			}
			return err
		})
	}
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

var deflatePool = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}

// undeflate unpacks a stream of RFC 1951.
func undeflate(dst, src []byte, max int) ([]byte, error) {
	r := deflatePool.Get().(io.ReadCloser)
	defer deflatePool.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(src), nil); err != nil {
		return dst, err
	}
	return readAll(dst, r, max)
}

var zstdPool = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // the options are at fault
	}
	return d
}}

// unzstd unpacks one Zstandard frame or several.
func unzstd(dst, src []byte, max int) ([]byte, error) {
	d := zstdPool.Get().(*zstd.Decoder)
	defer zstdPool.Put(d)
	if len(src) == 0 {
		return dst, io.ErrUnexpectedEOF
	}
	first := len(dst)
	dst = slices.Grow(dst, max)[:first]
	out, err := d.DecodeAll(src, dst[:first:first+max])
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		err = ErrTooLarge
	}
	switch { // when it fails, it may give nothing at all, or the block that was too much
	case len(out) < first:
		out = dst
	case len(out) > first+max:
		out, err = out[:first+max], ErrTooLarge
	}
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
