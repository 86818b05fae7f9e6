package series

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/flate"
)

// archive keeps the seconds that were summed up, in order. But for the newest they are packed and put into a file, so that the memory of a run
// does not grow with its length.
type archive struct {
	packs  []pack
	recent []Point
	file   *os.File // has no name, so that nothing is left of it however the program ends; nil: not yet, or this system has no such files
	size   int64    // of what was written to it
	err    error    // why it could not be read when a second was to be changed
}

// pack is some seconds that follow one another.
type pack struct {
	last     int    // second of the newest
	data     []byte // nil: it is in the file
	at, size int64  // where
}

const perPack = 30

// add appends seconds that are later than all before.
func (a *archive) add(points ...Point) {
	a.recent = append(a.recent, points...)
	for len(a.recent) >= 2*perPack {
		a.packs = append(a.packs, a.pack(a.recent[:perPack]))
		a.recent = slices.Clone(a.recent[perPack:])
	}
}

// pack puts seconds away: into the file, or into memory where that does not take them.
func (a *archive) pack(points []Point) pack {
	p := pack{last: points[len(points)-1].Second, data: packed(points)}
	if a.file == nil {
		a.file = nameless()
	}
	if a.file == nil {
		return p
	}
	if _, err := a.file.WriteAt(p.data, a.size); err != nil {
		return p
	}
	p.at, p.size, p.data = a.size, int64(len(p.data)), nil
	a.size += p.size
	return p
}

// nameless makes a file in the system's folder for temporary ones that goes when it is closed, by the garbage collector at the latest; nil: it
// can't be had here.
func nameless() *os.File {
	f, err := os.CreateTemp("", "shakedown-record-*")
	if err != nil {
		return nil
	}
	if os.Remove(f.Name()) == nil {
		return f
	}
	f.Close() // Windows: not while it is open
	os.Remove(f.Name())
	return nil
}

// unpack gives the seconds of a pack.
func (a *archive) unpack(p pack) (points []Point, err error) {
	var from io.Reader = bytes.NewReader(p.data)
	if p.data == nil {
		from = io.NewSectionReader(a.file, p.at, p.size)
	}
	if err := gob.NewDecoder(flate.NewReader(from)).Decode(&points); err != nil {
		return nil, fmt.Errorf("read the seconds up to %d of a record from its temporary file: %w\nhint: the folder for temporary files (TMPDIR) must have room, and keep what is written to it", p.last, err)
	}
	return points, nil
}

// change has do change a second; it is made when there is none.
func (a *archive) change(at int, do func(*Point)) {
	for i, p := range a.packs {
		if at <= p.last {
			points, err := a.unpack(p)
			if err != nil {
				a.err = err
				return
			}
			a.packs[i] = a.pack(change(points, at, do))
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

// all are copies. Without what could not be changed there are none.
func (a *archive) all() (points []Point, err error) {
	if a.err != nil {
		return nil, a.err
	}
	for _, p := range a.packs {
		more, err := a.unpack(p)
		if err != nil {
			return nil, err
		}
		points = append(points, more...)
	}
	return append(points, a.recent...), nil
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
