package mcu

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Memory is what a file of records puts where: Intel HEX, S-records, UF2.
type Memory struct {
	Regions []Region
	Entry   uint32 // where to start; 0: not told
	Records int
	Faults  int // records that do not fit their checksum or cannot be read
}

// Region is a stretch of memory in which gaps are small.
type Region struct {
	Address  uint32
	Data     []byte // gaps are filled with 0xFF, as in erased flash
	Gaps     []Gap
	Family   string // UF2: for which chips
	overlaid int    // bytes that were written twice, and not the same
}

// Gap is a stretch that no record fills.
type Gap struct {
	Address uint32
	Size    int
}

// Word gives the 32 bits that are put at an address, when they are.
func (m *Memory) Word(at uint32) (uint32, bool) {
	for _, r := range m.Regions {
		i := int64(at) - int64(r.Address)
		if i < 0 || i+4 > int64(len(r.Data)) {
			continue
		}
		for _, g := range r.Gaps {
			if at < g.Address+uint32(g.Size) && at+4 > g.Address {
				return 0, false
			}
		}
		return le32(r.Data[i:]), true
	}
	return 0, false
}

const (
	widest        = 64 << 10 // bytes of a gap within a region
	mostGaps      = 1 << 20  // bytes of all gaps, beside as many as there are data
	mostStretches = 500_000
)

// memory collects records.
type memory struct {
	stretches []stretch
	n         int // bytes
	lost      int // bytes of records that were too many
}

// stretch are bytes in a row.
type stretch struct {
	at    uint64
	data  []byte
	order int
}

func (m *memory) put(at uint64, b []byte) {
	if len(b) == 0 {
		return
	}
	m.n += len(b)
	if i := len(m.stretches) - 1; i >= 0 && m.stretches[i].at+uint64(len(m.stretches[i].data)) == at {
		m.stretches[i].data = append(m.stretches[i].data, b...)
		return
	}
	if len(m.stretches) == mostStretches {
		m.lost += len(b)
		return
	}
	m.stretches = append(m.stretches, stretch{at, slices.Clone(b), len(m.stretches)})
}

// regions joins what was put. Of two records for the same place the later one counts.
func (m *memory) regions(o *tree.Opening, family string) []Region {
	slices.SortStableFunc(m.stretches, func(a, b stretch) int { return cmp.Compare(a.at, b.at) })
	if m.lost > 0 {
		o.Note(-1, "its data lie in more than %d places: %d bytes are left out", mostStretches, m.lost)
	}
	var all []Region
	budget := uint64(mostGaps + m.n)
	for from := 0; from < len(m.stretches); {
		end := m.stretches[from].at + uint64(len(m.stretches[from].data))
		to := from + 1
		for to < len(m.stretches) {
			next := m.stretches[to].at
			if gap := next - min(next, end); gap > widest || gap > budget {
				break
			} else {
				budget -= gap
			}
			end = max(end, next+uint64(len(m.stretches[to].data)))
			to++
		}
		r := region(m.stretches[from:to], end)
		r.Family = family
		if r.overlaid > 0 {
			o.Note(-1, "%d bytes from %#x on are put there twice, and not the same", r.overlaid, r.Address)
		}
		all = append(all, r)
		from = to
	}
	return all
}

// region joins stretches, sorted by address, that end at an address.
func region(parts []stretch, end uint64) Region {
	start := parts[0].at
	r := Region{Address: uint32(start), Data: make([]byte, end-start)}
	for i := range r.Data {
		r.Data[i] = 0xFF
	}
	reached := start
	overlap := false
	for _, p := range parts {
		if p.at > reached {
			r.Gaps = append(r.Gaps, Gap{uint32(reached), int(p.at - reached)})
		}
		overlap = overlap || p.at < reached
		reached = max(reached, p.at+uint64(len(p.data)))
	}
	if overlap {
		parts = slices.Clone(parts)
		slices.SortFunc(parts, func(a, b stretch) int { return cmp.Compare(a.order, b.order) })
	}
	for n, p := range parts {
		to := r.Data[p.at-start:][:len(p.data)]
		if overlap {
			for _, before := range parts[max(0, n-8):n] {
				r.overlaid += differing(before, p)
			}
		}
		copy(to, p.data)
	}
	return r
}

// differing counts the bytes that two stretches put differently in the same place.
func differing(a, b stretch) (n int) {
	from, to := max(a.at, b.at), min(a.at+uint64(len(a.data)), b.at+uint64(len(b.data)))
	for at := from; at < to; at++ {
		if a.data[at-a.at] != b.data[at-b.at] {
			n++
		}
	}
	return n
}

// tell makes a content of each region.
func (m *Memory) tell(o *tree.Opening) error {
	o.Info(m)
	gaps := 0
	for _, r := range m.Regions {
		name := fmt.Sprintf("memory from %#x", r.Address)
		if r.Family != "" {
			name = r.Family + " " + name
		}
		if _, err := o.Made(name, func(w io.Writer) error {
			_, err := w.Write(r.Data)
			return err
		}); err != nil {
			return err
		}
		gaps += len(r.Gaps)
	}
	o.Describe("%d records, %d regions, %d gaps", m.Records, len(m.Regions), gaps)
	return nil
}
