package compress

import (
	"errors"
	"fmt"
	"io"
)

// ErrTooLarge says that data unpack to more than was allowed.
var ErrTooLarge = errors.New("they unpack to more than is allowed")

// dictLimit is the largest dictionary that is kept. Those of xz -9 and of vendors' tools are not larger.
const dictLimit = 64 << 20

// window is what was unpacked: all of it, or, with a writer, at least the last dict bytes, the others being written.
type window struct {
	buf  []byte
	at   int // where the next byte goes
	base int // where the history begins
	dict uint32

	first int       // what the caller had in buf already
	limit int       // without a writer: how far buf may grow
	w     io.Writer // nil: everything stays in buf
	sent  int       // with a writer: what of buf it was given
	total int64     // with a writer: what it was given in all
}

// toSlice has the window append to dst, at most limit bytes.
func (v *window) toSlice(dst []byte, limit int) {
	*v = window{buf: dst[:cap(dst)], at: len(dst), base: len(dst), first: len(dst), limit: len(dst) + limit}
}

// toWriter has the window write what was unpacked.
func (v *window) toWriter(w io.Writer) { *v = window{buf: v.buf[:cap(v.buf)], w: w} }

// setDict says how far back matches reach.
func (v *window) setDict(n uint32) error {
	if n > dictLimit {
		return fmt.Errorf("a dictionary of %d bytes is needed, and the limit are %d", n, dictLimit)
	}
	v.dict = max(n, 4096)
	return nil
}

// room sees to it that n bytes can be made.
func (v *window) room(n int) error {
	if len(v.buf)-v.at >= n {
		return nil
	}
	if v.w == nil {
		if n > v.limit-v.at {
			return ErrTooLarge
		}
		v.grow(min(v.limit, max(2*len(v.buf), v.at+n)))
		return nil
	}
	enough := int(v.dict) + max(int(v.dict)/2, 1<<20) + n
	if len(v.buf) < enough && v.at < int(v.dict)+16 {
		v.grow(min(enough, max(2*len(v.buf), v.at+n)))
		return nil
	}
	if err := v.flush(); err != nil {
		return err
	}
	by := max(v.at-int(v.dict)-16, 0) &^ 15 // so that positions keep their remainders, which are context
	copy(v.buf, v.buf[by:v.at])
	v.at -= by
	v.sent = v.at
	if v.base -= by; v.base < 0 {
		v.base &= 15
	}
	if len(v.buf)-v.at < n {
		v.grow(max(enough, v.at+n))
	}
	return nil
}

// space is where n bytes end, or as many as are allowed, and where what may come beyond those, at most slack bytes, ends.
func (v *window) space(n, slack int) (soft, hard int, err error) {
	if v.w == nil {
		left := v.limit - v.at
		if left == 0 && n > 0 {
			return 0, 0, ErrTooLarge
		}
		n = min(n, left)
		slack = min(slack, left-n)
	}
	err = v.room(n + slack)
	return v.at + n, v.at + n + slack, err
}

func (v *window) grow(n int) {
	b := make([]byte, n)
	copy(b, v.buf[:v.at])
	v.buf = b
}

// flush writes what is not written yet.
func (v *window) flush() error {
	if v.w == nil || v.sent == v.at {
		return nil
	}
	n, err := v.w.Write(v.buf[v.sent:v.at])
	v.total += int64(n)
	v.sent = v.at
	return err
}

// forget begins a new history.
func (v *window) forget() { v.base = v.at }
