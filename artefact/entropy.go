package artefact

import "math"

// histogram counts bytes.
type histogram struct {
	count [256]int64
	n     int64
}

func (h *histogram) add(b []byte) {
	h.n += int64(len(b))
	var other [256]uint32 // the same byte twice is not counted in one place, which would have to wait for the first
	for ; len(b) >= 2; b = b[2:] {
		h.count[b[0]]++
		other[b[1]]++
	}
	for _, c := range b {
		h.count[c]++
	}
	for c, n := range other {
		h.count[c] += int64(n)
	}
}

// bits is Shannon's entropy in bits a byte: 0 to 8.
func (h *histogram) bits() float64 {
	sum := 0.0
	for _, c := range h.count {
		if c > 0 {
			p := float64(c) / float64(h.n)
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// profile is the entropy of a content stretch by stretch, as it is written to it.
type profile struct {
	stretch int64
	now     histogram
	bits    []float64
}

const (
	stretches     = 256
	shortestPiece = 1 << 10 // bytes: the entropy of fewer says little
)

func newProfile(size int64) *profile {
	return &profile{stretch: max(shortestPiece, (size+stretches-1)/stretches)}
}

func (p *profile) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		room := min(int64(len(b)), p.stretch-p.now.n)
		p.now.add(b[:room])
		b = b[room:]
		if p.now.n == p.stretch {
			p.cut()
		}
	}
	return n, nil
}

func (p *profile) cut() {
	p.bits = append(p.bits, p.now.bits())
	p.now = histogram{}
}

func (p *profile) done() []float64 {
	if p.now.n > 0 {
		p.cut()
	}
	return p.bits
}

// random is the entropy in bits a byte of blocks of 4 KiB above which bytes look random: of 4,096 random ones it is 7.955 on average.
const random = 7.93

// opaque is how many bytes of b lie in blocks of 4 KiB that look random.
func opaque(b []byte) (n int64) {
	const block = 4 << 10
	for ; len(b) >= block; b = b[block:] {
		var h histogram
		h.add(b[:block])
		if h.bits() > random {
			n += block
		}
	}
	return n
}
