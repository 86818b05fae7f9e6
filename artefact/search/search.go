// Package search finds many short byte strings in data at once, quickly: a table of bits says of four bytes whether a string could lie
// around them, and only where it does the strings themselves are compared.
package search

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
)

// Pattern is a string that is looked for.
type Pattern struct {
	Bytes string // four or more
	Fold  bool   // letters of either case are the same
	ID    int    // what its hits are told by
}

// Searcher looks for a set of patterns. It may be used by several goroutines at once.
type Searcher struct {
	bits     [tableSize / 64]uint64
	buckets  [bucketCount + 1]uint32 // of the anchors: where those of a bucket begin
	anchors  []anchor
	patterns []Pattern
}

// anchor is the part of a pattern by which it is looked for.
type anchor struct {
	gram    uint32
	offset  int32
	pattern int32
}

const (
	tableSize   = 1 << 17 // bits: 16 KiB stay in the nearest cache
	bucketCount = 1 << 10
	folded      = 0x20202020 // sets the bit that tells upper from lower case
	spread      = 0x9E3779B1
)

func slot(gram uint32) uint32 { return gram * spread >> 15 }

// New makes a searcher. Patterns come from the program's own data: one that is too short is a mistake in it, and panics.
func New(patterns []Pattern) *Searcher {
	s := &Searcher{patterns: patterns}
	for i, p := range patterns {
		if len(p.Bytes) < 4 {
			panic(fmt.Sprintf("search: pattern %q is shorter than four bytes", p.Bytes))
		}
		at := rarest(p.Bytes)
		gram := binary.LittleEndian.Uint32([]byte(p.Bytes[at:at+4])) | folded
		s.anchors = append(s.anchors, anchor{gram, int32(at), int32(i)})
		s.bits[slot(gram)/64] |= 1 << (slot(gram) % 64)
	}
	bucket := func(a anchor) uint32 { return slot(a.gram) % bucketCount }
	slices.SortStableFunc(s.anchors, func(a, b anchor) int { return cmp.Compare(bucket(a), bucket(b)) })
	for _, a := range s.anchors {
		s.buckets[bucket(a)+1]++
	}
	for i := range bucketCount {
		s.buckets[i+1] += s.buckets[i]
	}
	return s
}

// common are the bytes that most often stand in texts and programs, the most frequent first; | 0x20.
const common = " etaoinsrhldcumfpgw/.=-:_0128\"',()"

// rarest is where the four bytes of a pattern begin that are the least likely to come by chance.
func rarest(p string) (best int) {
	top := -1
	for i := 0; i+4 <= len(p); i++ {
		score := 0
		for _, c := range []byte(p[i : i+4]) {
			c |= 0x20
			if at := slices.Index([]byte(common), c); at >= 0 {
				score += at
			} else {
				score += len(common) + 5
			}
		}
		if score > top {
			best, top = i, score
		}
	}
	return best
}

// Each calls hit with the id of a pattern and the place of its first byte, for every occurrence, by the place of their anchors.
func (s *Searcher) Each(data []byte, hit func(id, at int)) {
	bits := &s.bits
	for i := 0; i+4 <= len(data); {
		// Eight bytes at a time are five windows of four; the last of these is the first of the next eight.
		if i+8 <= len(data) {
			wide := binary.LittleEndian.Uint64(data[i:]) | folded<<32 | folded
			a, b, c, d := slot(uint32(wide)), slot(uint32(wide>>8)), slot(uint32(wide>>16)), slot(uint32(wide>>24))
			if (bits[a>>6]>>(a&63)|bits[b>>6]>>(b&63)|bits[c>>6]>>(c&63)|bits[d>>6]>>(d&63))&1 == 0 {
				i += 4
				continue
			}
		}
		for end := min(i+4, len(data)-3); i < end; i++ {
			gram := binary.LittleEndian.Uint32(data[i:]) | folded
			if h := slot(gram); bits[h>>6]>>(h&63)&1 != 0 {
				s.compare(data, i, gram, hit)
			}
		}
	}
}

// compare looks at the patterns whose anchor may be at i.
func (s *Searcher) compare(data []byte, i int, gram uint32, hit func(id, at int)) {
	b := slot(gram) % bucketCount
	for _, a := range s.anchors[s.buckets[b]:s.buckets[b+1]] {
		if a.gram != gram {
			continue
		}
		p := &s.patterns[a.pattern]
		if from := i - int(a.offset); from >= 0 && from+len(p.Bytes) <= len(data) && p.is(data[from:from+len(p.Bytes)]) {
			hit(p.ID, from)
		}
	}
}

// is compares bytes of the same number.
func (p *Pattern) is(data []byte) bool {
	if !p.Fold {
		return string(data) == p.Bytes
	}
	for i, c := range data {
		if w := p.Bytes[i]; c != w && (lower(c) != lower(w)) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// Wide is a string as UTF-16 in little-endian order writes it.
func Wide(s string) string {
	b := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		b = append(b, s[i], 0)
	}
	return string(b)
}

// Narrow is what UTF-16 in little-endian order says, as far as it is ASCII; the rest is a question mark each.
func Narrow(wide []byte) []byte {
	b := make([]byte, 0, len(wide)/2)
	for i := 0; i+1 < len(wide); i += 2 {
		c := wide[i]
		if wide[i+1] != 0 || c >= 0x80 {
			c = '?'
		}
		b = append(b, c)
	}
	return b
}
