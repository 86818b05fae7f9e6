package count

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The account of one process goes to another as: a byte of version, a byte that says whether it watched, five counters (duplicates, late,
// foreign, strange, leaked), for each sort its examples, and then each source that has anything: how far it is from the one before, its
// groups, most, void, and three bitmaps. A bitmap is runs of words: count<<2 | kind, where words of kind literal follow. All numbers are varints.
const version = 1

const (
	zeros = iota
	full
	literal
)

var errDamaged = errors.New("read an account of messages: it is damaged")

// MarshalBinary writes the account: a few bytes for a source of which all arrived.
func (l *Ledger) MarshalBinary() ([]byte, error) {
	var body []byte
	last := uint32(0)
	duplicates, late := l.each(func(number uint32, s *source) {
		groups := s.all()
		if len(groups) == 0 {
			return
		}
		body = binary.AppendUvarint(body, uint64(number-last)+1)
		last = number
		body = binary.AppendUvarint(body, uint64(len(groups)))
		body = binary.AppendUvarint(body, uint64(s.most))
		body = binary.AppendUvarint(body, uint64(s.void))
		for bitmap := range 3 {
			body = appendRuns(body, groups, bitmap)
		}
	})
	body = append(body, 0)

	out := []byte{version, byte(l.watch.Load())}
	for _, n := range []uint64{duplicates, late, l.foreign.Load(), l.strange.Load(), l.leaked.Load()} {
		out = binary.AppendUvarint(out, n)
	}
	l.shown.Lock()
	for _, list := range l.examples {
		out = append(out, byte(len(list)))
		for _, m := range list {
			out = binary.AppendUvarint(binary.AppendUvarint(out, uint64(m.Source)), uint64(m.Seq))
		}
	}
	l.shown.Unlock()
	return append(out, body...), nil
}

// word is one of the three bitmaps of a group.
func (g *group) word(bitmap int) *uint64 { return []*uint64{&g.sent, &g.acked, &g.arrived}[bitmap] }

// appendRuns writes a bitmap of a source.
func appendRuns(out []byte, groups []group, bitmap int) []byte {
	kind := func(i int) uint64 {
		switch *groups[i].word(bitmap) {
		case 0:
			return zeros
		case ^uint64(0):
			return full
		}
		return literal
	}
	for i := 0; i < len(groups); {
		k, n := kind(i), 1
		for i+n < len(groups) && kind(i+n) == k {
			n++
		}
		out = binary.AppendUvarint(out, uint64(n)<<2|k)
		if k == literal {
			for _, g := range groups[i : i+n] {
				out = binary.LittleEndian.AppendUint64(out, *g.word(bitmap))
			}
		}
		i += n
	}
	return out
}

// Merge adds the account that another process wrote. Sources must have been declared here, with most for those that are sent elsewhere, so
// that an account cannot take more memory than the run has messages; an error leaves the account in part merged. A message that arrived in
// both accounts is a duplicate.
func (l *Ledger) Merge(account []byte) error {
	r := reader{b: account}
	if r.byte() != version || r.failed {
		return fmt.Errorf("%w, or of another version of Shakedown", errDamaged)
	}
	l.watching(int32(min(r.byte(), missed)))
	var counters [5]uint64
	for i := range counters {
		counters[i] = r.number(1 << 62)
	}
	for s := range sorts {
		for range min(r.byte(), examples) {
			source, seq := uint32(r.number(1<<32-1)), uint32(r.number(1<<32-1))
			if !r.failed {
				l.show(s, source, seq)
			}
		}
	}
	if r.failed {
		return errDamaged
	}
	l.foreign.Add(counters[2])
	l.strange.Add(counters[3])
	l.leaked.Add(counters[4])
	return l.mergeSources(&r, counters[0], counters[1])
}

// mergeSources adds the sources of an account, and its duplicates and late ones to the first.
func (l *Ledger) mergeSources(r *reader, duplicates, late uint64) error {
	number := uint64(0)
	for {
		gap := r.number(1 << 32)
		if r.failed {
			return errDamaged
		}
		if gap == 0 {
			break
		}
		number += gap - 1
		p, s := l.known(uint32(min(number, 1<<32-1)))
		n := int(r.number(mostSeq / 64))
		most, void := uint32(r.number(mostSeq)), uint32(r.number(mostSeq))
		if p == nil || r.failed {
			return fmt.Errorf("%w: source %d does not belong to this run", errDamaged, number)
		}
		p.Lock()
		s.void = max(s.void, void)
		err := s.merge(r, n, most, p)
		p.Unlock()
		if err != nil {
			return fmt.Errorf("%w: source %d", err, number)
		}
	}
	if len(r.b) != 0 {
		return errDamaged
	}
	p, _ := l.own(0)
	p.Lock()
	p.duplicates += duplicates
	p.late += late
	p.Unlock()
	return nil
}

// merge adds the messages of a source, of which there are n groups.
func (s *source) merge(r *reader, n int, most uint32, p *page) error {
	if allowed := int(max(s.most, s.sent)+slack+63) / 64; n > allowed {
		return fmt.Errorf("%w: it has %d messages where %d were declared", errDamaged, n*64, allowed*64)
	}
	s.unfold()
	if n > len(s.groups) {
		s.groups = append(slices.Grow(s.groups, n-len(s.groups)), make([]group, n-len(s.groups))...)
	}
	s.most = max(s.most, min(most, uint32(n)*64))
	for bitmap := range 3 {
		for i := 0; i < n; {
			run := r.number(uint64(n-i)<<2 | 3)
			k, length := run&3, int(run>>2)
			if r.failed || length == 0 || length > n-i || k > literal {
				return errDamaged
			}
			for range length {
				w := uint64(0)
				switch k {
				case full:
					w = ^w
				case literal:
					w = r.word()
				}
				own := s.groups[i].word(bitmap)
				if bitmap == 2 {
					p.duplicates += ones(*own & w)
				}
				*own |= w
				i++
			}
		}
	}
	if r.failed {
		return errDamaged
	}
	s.tops(n)
	return nil
}

// tops brings the highest numbers up to date after the first n groups changed.
func (s *source) tops(n int) {
	for i := range n {
		g := &s.groups[i]
		s.sent = max(s.sent, above(i, g.sent))
		s.top = max(s.top, above(i, g.arrived))
	}
}

// reader takes numbers off an account; after the first that is not there it has failed.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.failed = true
		return 0
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b
}

func (r *reader) number(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.failed = true
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) word() uint64 {
	if len(r.b) < 8 {
		r.failed = true
		r.b = nil
		return 0
	}
	w := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return w
}
