package series

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"slices"

	"github.com/klauspost/compress/flate"
)

// archive keeps the seconds that were summed up, in order. But for the newest they are packed, each to a tenth of its size or less, so that
// the memory of a run does not grow with its length.
type archive struct {
	packs  []pack
	recent []Point
}

// pack is some seconds that follow one another.
type pack struct {
	last int // second of the newest
	data []byte
}

const perPack = 120

// add appends seconds that are later than all before.
func (a *archive) add(points ...Point) {
	a.recent = append(a.recent, points...)
	for len(a.recent) >= 2*perPack {
		a.packs = append(a.packs, pack{a.recent[perPack-1].Second, packed(a.recent[:perPack])})
		a.recent = slices.Clone(a.recent[perPack:])
	}
}

// change has do change a second; it is made when there is none.
func (a *archive) change(at int, do func(*Point)) {
	for i := range a.packs {
		if p := &a.packs[i]; at <= p.last {
			points := change(p.unpacked(), at, do)
			p.last, p.data = points[len(points)-1].Second, packed(points)
			return
		}
	}
	a.recent = change(a.recent, at, do)
}

func change(points []Point, at int, do func(*Point)) []Point {
	i, found := slices.BinarySearchFunc(points, at, func(p Point, at int) int { return p.Second - at })
	if !found {
		points = slices.Insert(points, i, Point{Second: at})
	}
	do(&points[i])
	return points
}

// all are copies.
func (a *archive) all() (points []Point) {
	for _, p := range a.packs {
		points = append(points, p.unpacked()...)
	}
	return append(points, a.recent...)
}

// packed takes a compressor that keeps nothing: one with tables takes 1.2 MB each time, by which the memory of a run would seem to grow.
func packed(points []Point) []byte {
	var plain, out bytes.Buffer
	err := gob.NewEncoder(&plain).Encode(points)
	if err == nil {
		err = flate.StatelessDeflate(&out, plain.Bytes(), true, nil)
	}
	if err != nil {
		panic(fmt.Sprintf("pack seconds of a series: %v", err)) // into memory
	}
	return bytes.Clone(out.Bytes())
}

func (p pack) unpacked() (points []Point) {
	if err := gob.NewDecoder(flate.NewReader(bytes.NewReader(p.data))).Decode(&points); err != nil {
		panic(fmt.Sprintf("unpack seconds of a series: %v", err)) // packed wrote them
	}
	return points
}
