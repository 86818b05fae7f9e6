package squash

import (
	"fmt"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// plan says of all files what pieces they have, and has their blocks unpacked.
func (p *pipeline) plan(entries []entry) {
	for i := range entries {
		e := &entries[i]
		if e.broken != nil || e.other != "" || e.kind != kindFile || e.size <= 0 {
			continue
		}
		if err := p.file(e); err != nil && !p.send(piece{err: err, last: true}) {
			return
		}
	}
}

// send hands on a piece, and says whether anybody takes it.
func (p *pipeline) send(c piece) bool {
	select {
	case p.pieces <- c:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// file plans one.
func (p *pipeline) file(e *entry) error {
	size := int64(p.blockSize)
	whole := (e.size + size - 1) / size
	if e.fragment != noFragment {
		whole = e.size / size
	}
	list, at := e.blocks, e.start
	for i := range whole {
		f, err := list.fields(4)
		if err != nil {
			return err
		}
		n := int(min(size, e.size-i*size))
		c := piece{n: n, last: i == whole-1 && e.fragment == noFragment}
		if stored := int(f.bits(32)); stored != 0 {
			b, err := p.job(at, stored, n)
			if err != nil {
				return err
			}
			c.block, c.first = b, true
			at += int64(b.size)
		}
		if !p.send(c) {
			return p.ctx.Err()
		}
	}
	if e.fragment == noFragment || e.size%size == 0 {
		return nil
	}
	b, fresh, err := p.fragment(e.fragment)
	if err != nil {
		return err
	}
	if !p.send(piece{block: b, first: fresh, from: e.offset, n: int(e.size % size), last: true}) {
		return p.ctx.Err()
	}
	return nil
}

// job has a block unpacked. Its size is as it is stored: with a bit for one that is not packed.
func (p *pipeline) job(at int64, stored, want int) (*block, error) {
	b := &block{at: at, size: stored &^ (1 << 24), packed: stored&(1<<24) == 0, want: want, done: make(chan struct{})}
	if b.size > 2*p.blockSize {
		return nil, tree.Bad(at, "a block of %d bytes, where they have at most %d", b.size, p.blockSize)
	}
	if at < 0 || at > p.o.Size()-int64(b.size) {
		return nil, tree.Bad(at, "a block of %d bytes is not all there", b.size)
	}
	if p.work += int64(want); p.work > p.maxWork() {
		return nil, fmt.Errorf("%w: the same blocks are unpacked again and again", tree.ErrLimit)
	}
	select {
	case p.places <- struct{}{}:
	case <-p.ctx.Done():
		return nil, p.ctx.Err()
	}
	p.jobs <- b // has as many places as there are
	return b, nil
}

// fragment is the block of ends of files with that number. It is fresh when nobody had it before.
func (p *pipeline) fragment(i uint32) (b *block, fresh bool, err error) {
	if b := p.fragments[i]; b != nil {
		return b, false, nil
	}
	if i >= p.super.fragments {
		return nil, false, tree.Bad(p.fragmentTable, "fragment %d of %d is wanted", i, p.super.fragments)
	}
	f, err := p.entry(p.fragmentTable, int(i), 16)
	if err != nil {
		return nil, false, err
	}
	at := int64(f.bits(64))
	b, err = p.job(at, int(f.bits(32)), p.blockSize)
	if err != nil {
		return nil, false, err
	}
	if len(p.recent) == fragmentsKept {
		delete(p.fragments, p.recent[0])
		p.recent = slices.Delete(p.recent, 0, 1)
	}
	p.fragments[i] = b
	p.recent = append(p.recent, i)
	return b, true, nil
}
