package compress

import "io"

// input is what a decoder takes bytes from: a slice, or a reader behind a buffer.
type input struct {
	b       []byte
	at, end int // what is there to take
	r       io.Reader
	passed  int64 // bytes that were taken and are no longer in b
	padded  []byte
}

const inputBuffer = 128 << 10

// reset makes it read a slice, or r when that is not nil.
func (in *input) reset(src []byte, r io.Reader) {
	*in = input{b: src, end: len(src), r: r, padded: in.padded}
	if r != nil {
		if cap(in.padded) < inputBuffer {
			in.padded = make([]byte, inputBuffer)
		}
		in.b, in.end = in.padded[:cap(in.padded)], 0
	}
}

// taken is how many bytes were taken.
func (in *input) taken() int64 { return in.passed + int64(in.at) }

// fill sees to it that n bytes are there, at most 64 KiB and some; io.ErrUnexpectedEOF: there are fewer.
func (in *input) fill(n int) error {
	if in.end-in.at >= n {
		return nil
	}
	if in.r == nil {
		return io.ErrUnexpectedEOF
	}
	in.passed += int64(in.at)
	in.end = copy(in.b, in.b[in.at:in.end])
	in.at = 0
	for empty := 0; in.end < n; {
		got, err := in.r.Read(in.b[in.end : len(in.b)-2*lzmaAhead])
		in.end += got
		if err == io.EOF && in.end < n {
			return io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return err
		}
		if got == 0 {
			if empty++; empty > 100 {
				return io.ErrNoProgress
			}
		}
	}
	return nil
}

// take gives the next n bytes, which fill has seen to.
func (in *input) take(n int) []byte {
	in.at += n
	return in.b[in.at-n : in.at]
}

// next gives n bytes.
func (in *input) next(n int) ([]byte, error) {
	if err := in.fill(n); err != nil {
		return nil, err
	}
	return in.take(n), nil
}

// pad sees to it that n bytes can be looked at beyond the end; if there are none, they are zeros.
func (in *input) pad(n int) {
	if len(in.b)-in.end >= n {
		clear(in.b[in.end : in.end+n])
		return
	}
	in.passed += int64(in.at)
	in.padded = append(in.padded[:0], in.b[in.at:in.end]...)
	in.at, in.end = 0, len(in.padded)
	in.padded = append(in.padded, make([]byte, n)...)
	in.b = in.padded
}
