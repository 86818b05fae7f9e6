package compress

import "io"

// unlzo unpacks a block of LZO1X, as the kernel's Documentation/staging/lzo.rst describes its instructions.
func unlzo(dst, src []byte, max int) ([]byte, error) {
	l := &lzo{in: src, out: dst, first: len(dst), limit: len(dst) + max}
	err := l.run()
	return l.out, err
}

// lzo is a decoder of one block.
type lzo struct {
	in    []byte
	at    int
	out   []byte
	first int // where out begins to be of this block
	limit int
}

const (
	lzoAfterRun = 4 // the state after a run of literals that an instruction of its own made
	lzoEnd      = 1 << 14
)

func (l *lzo) run() error {
	state := 0
	if len(l.in) > 0 && l.in[0] > 17 {
		n := int(l.in[0]) - 17
		l.at++
		if err := l.literals(n); err != nil {
			return err
		}
		state = min(n, lzoAfterRun)
	}
	for {
		b, err := l.next()
		if err != nil {
			return err
		}
		t := int(b)
		if t < 16 && state == 0 {
			n, err := l.number(t, 15)
			if err != nil {
				return err
			}
			if err := l.literals(n + 3); err != nil {
				return err
			}
			state = lzoAfterRun
			continue
		}
		length, distance, literals, err := l.match(t, state)
		if err != nil {
			return err
		}
		if distance == lzoEnd && t&^15 == 16 {
			if length != 3 || l.at != len(l.in) {
				return errDamaged
			}
			return nil
		}
		if l.out, err = copyMatch(l.out, l.first, distance, length, l.limit); err != nil {
			return err
		}
		state = literals
		if err := l.literals(literals); err != nil {
			return err
		}
	}
}

// match reads an instruction that copies from what was made before, whose first byte is t.
func (l *lzo) match(t, state int) (length, distance, literals int, err error) {
	if t >= 64 || t < 16 {
		b, err := l.next()
		high := int(b)
		switch {
		case t >= 64:
			return t>>5 + 1, high<<3 + t>>2&7 + 1, t & 3, err
		case state == lzoAfterRun:
			return 3, high<<2 + t>>2 + 2049, t & 3, err
		}
		return 2, high<<2 + t>>2 + 1, t & 3, err
	}
	base := 1
	if t >= 32 {
		length, err = l.number(t&31, 31)
	} else {
		base = lzoEnd + t&8<<11
		length, err = l.number(t&7, 7)
	}
	if err != nil {
		return 0, 0, 0, err
	}
	low, _ := l.next()
	high, err := l.next()
	return length + 2, base + int(high)<<6 + int(low)>>2, int(low) & 3, err
}

// number is one that stands in an instruction, or behind it when that holds zero.
func (l *lzo) number(n, most int) (int, error) {
	if n > 0 {
		return n, nil
	}
	for n = most; ; n += 255 {
		b, err := l.next()
		if err != nil || b > 0 {
			return n + int(b), err
		}
	}
}

func (l *lzo) next() (byte, error) {
	if l.at >= len(l.in) {
		return 0, io.ErrUnexpectedEOF
	}
	l.at++
	return l.in[l.at-1], nil
}

func (l *lzo) literals(n int) error {
	if n > len(l.in)-l.at {
		return io.ErrUnexpectedEOF
	}
	if n > l.limit-len(l.out) {
		return ErrTooLarge
	}
	l.out = append(l.out, l.in[l.at:l.at+n]...)
	l.at += n
	return nil
}

// copyMatch appends length bytes of out again, from distance before its end on. They may overlap with what they make. What lies before
// first is not of it.
func copyMatch(out []byte, first, distance, length, limit int) ([]byte, error) {
	from := len(out) - distance
	if from < first || distance <= 0 {
		return out, errDamaged
	}
	if length > limit-len(out) {
		return out, ErrTooLarge
	}
	for length > distance {
		out = append(out, out[from:from+distance]...)
		length -= distance
		from = len(out) - distance
	}
	return append(out, out[from:from+length]...), nil
}
