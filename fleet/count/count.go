// Package count keeps which numbered messages were sent, acknowledged and received, to the single message.
package count

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

const (
	pageSize = 64      // sources under one lock
	slack    = 4096    // how far an arrival may run ahead of what is known to be sent: other loops note what they send a moment later
	examples = 10      // of each sort that are kept
	mostSeq  = 1 << 28 // no source has more messages: a bitmap stays below 100 MB whatever the caller does
)

// Ledger is the account of all messages of a run. A source is one stream of one device; its messages are numbered from 0. It is safe
// for concurrent use, and takes some 100 bytes for each source, and 3 bits for each message from the first on that was lost.
type Ledger struct {
	pages atomic.Pointer[[]*page] // source / pageSize; nil where no source was declared or sent
	grow  sync.Mutex              // of pages

	watch   atomic.Int32 // unwatched, watched or missed; it only grows
	strange atomic.Uint64
	foreign atomic.Uint64
	leaked  atomic.Uint64

	shown    sync.Mutex
	examples [sorts][]Message
}

// page is a few neighbouring sources.
type page struct {
	sync.Mutex
	sources [pageSize]source

	duplicates, late uint64
}

// source is what became of the messages of one stream.
type source struct {
	groups []group // of 64 messages each, but for the first ones, which are folded
	folded uint32  // groups that are all alike
	alike  marks   // what is true of all their messages
	plain  bool    // it is not folded again: see unfold
	sent   uint32  // one more than the highest number sent here
	most   uint32  // one more than the highest number that may arrive although it is not known here as sent
	top    uint32  // one more than the highest number that arrived
	void   uint32  // messages below that did not arrive could not: their receiver was away
}

// group is the state of 64 neighbouring messages, a bit each.
type group struct{ sent, acked, arrived uint64 }

// marks are what may be true of a message.
type marks uint8

const (
	isSent marks = 1 << iota
	isAcked
	hasArrived
)

// New returns a ledger that knows no source yet.
func New() *Ledger {
	l := &Ledger{}
	l.pages.Store(&[]*page{})
	return l
}

// Declare says that n sources from first on belong to this run, and that messages of them numbered below most may arrive here although they
// were sent elsewhere; most is 0 where they are sent here. An arrival of a source that was neither declared nor sent is strange.
func (l *Ledger) Declare(first, n, most uint32) {
	for i := range n {
		p, s := l.own(first + i)
		p.Lock()
		s.most = max(s.most, min(most, mostSeq))
		p.Unlock()
	}
}

// Watch says that somebody receives what is sent: only then does a message that did not arrive count as lost.
func (l *Ledger) Watch() { l.watching(watched) }

// Missed says that whoever received what is sent was away for a while: from then on it is not known what arrived.
func (l *Ledger) Missed() { l.watching(missed) }

// How what is sent is received.
const (
	unwatched = iota
	watched
	missed // in part
)

func (l *Ledger) watching(how int32) {
	for was := l.watch.Load(); was < how; was = l.watch.Load() {
		if l.watch.CompareAndSwap(was, how) {
			return
		}
	}
}

// Sent notes that a message was written. A repetition counts once.
func (l *Ledger) Sent(source, seq uint32) {
	if seq >= mostSeq {
		l.Strange(source, seq)
		return
	}
	p, s := l.own(source)
	p.Lock()
	if !s.settled(seq, isSent) {
		s.at(seq, l.watch.Load()).sent |= 1 << (seq % 64)
	}
	s.sent = max(s.sent, seq+1)
	p.Unlock()
}

// Acked notes that the other side took responsibility for a message.
func (l *Ledger) Acked(source, seq uint32) {
	p, s := l.known(source)
	if p == nil {
		l.Strange(source, seq)
		return
	}
	p.Lock()
	taken := s.may(seq)
	if taken && !s.settled(seq, isAcked) {
		s.at(seq, l.watch.Load()).acked |= 1 << (seq % 64)
	}
	p.Unlock()
	if !taken {
		l.Strange(source, seq)
	}
}

// Void says that whoever was to receive the messages of a source below a number is away, and nobody keeps them for it: those that did not
// arrive are not lost.
func (l *Ledger) Void(source, below uint32) {
	if below > mostSeq {
		return
	}
	p, s := l.own(source)
	p.Lock()
	s.void = max(s.void, below)
	p.Unlock()
}

// voided are the messages of a group that are void.
func (s *source) voided(group int) uint64 {
	switch n := int(s.void) - group*64; {
	case n <= 0:
		return 0
	case n >= 64:
		return ^uint64(0)
	default:
		return 1<<n - 1
	}
}

// Arrived notes that a message was received, and says whether it had been before, and whether a later one of its source had.
func (l *Ledger) Arrived(source, seq uint32) (again, late bool) {
	p, s := l.known(source)
	if p == nil {
		l.Strange(source, seq)
		return false, false
	}
	p.Lock()
	if !s.may(seq) {
		p.Unlock()
		l.Strange(source, seq)
		return false, false
	}
	bit := uint64(1) << (seq % 64)
	again = s.settled(seq, hasArrived)
	if !again {
		g := s.at(seq, l.watch.Load())
		again = g.arrived&bit != 0
		g.arrived |= bit
	}
	switch {
	case again:
		p.duplicates++
	case seq+1 < s.top:
		late = true
		p.late++
	}
	s.top = max(s.top, seq+1)
	p.Unlock()
	if again {
		l.show(duplicate, source, seq)
	}
	if late {
		l.show(reordered, source, seq)
	}
	return again, late
}

// Strange notes a message with the stamp of this run that nobody can have sent.
func (l *Ledger) Strange(source, seq uint32) {
	l.strange.Add(1)
	l.show(strange, source, seq)
}

// Foreign notes a message with the stamp of another run.
func (l *Ledger) Foreign() { l.foreign.Add(1) }

// Leaked notes that a message of one tenant was received by another.
func (l *Ledger) Leaked(source, seq uint32) {
	l.leaked.Add(1)
	l.show(leaked, source, seq)
}

// LeakedUnnamed notes that data of one tenant was received by another, where nothing says of which message it is.
func (l *Ledger) LeakedUnnamed() { l.leaked.Add(1) }

// show keeps the first messages of a sort.
func (l *Ledger) show(s sort, source, seq uint32) {
	l.shown.Lock()
	defer l.shown.Unlock()
	if len(l.examples[s]) < examples {
		l.examples[s] = append(l.examples[s], Message{source, seq})
	}
}

// known is a source that was declared or has sent, or nil.
func (l *Ledger) known(number uint32) (*page, *source) {
	pages := *l.pages.Load()
	if i := int(number / pageSize); i < len(pages) && pages[i] != nil {
		return pages[i], &pages[i].sources[number%pageSize]
	}
	return nil, nil
}

// own is a source, which it makes room for.
func (l *Ledger) own(number uint32) (*page, *source) {
	if p, s := l.known(number); p != nil {
		return p, s
	}
	l.grow.Lock()
	defer l.grow.Unlock()
	pages := *l.pages.Load()
	i := int(number / pageSize)
	if i >= len(pages) {
		wider := make([]*page, max(i+1, 2*len(pages), 16))
		copy(wider, pages)
		pages = wider
	} else {
		pages = append([]*page(nil), pages...)
	}
	if pages[i] == nil {
		pages[i] = &page{}
	}
	l.pages.Store(&pages)
	return pages[i], &pages[i].sources[number%pageSize]
}

// may reports whether the other side can have seen a message.
func (s *source) may(seq uint32) bool {
	switch {
	case seq < s.most:
		return true
	case s.sent == 0:
		return false
	}
	return uint64(seq) < min(uint64(s.sent)+slack, mostSeq)
}

// each calls f with every known source in order, under its lock.
func (l *Ledger) each(f func(number uint32, s *source)) (duplicates, late uint64) {
	for i, p := range *l.pages.Load() {
		if p == nil {
			continue
		}
		p.Lock()
		duplicates += p.duplicates
		late += p.late
		for j := range p.sources {
			f(uint32(i*pageSize+j), &p.sources[j])
		}
		p.Unlock()
	}
	return duplicates, late
}

// ones are the messages of a group whose bits are set.
func ones(b uint64) uint64 { return uint64(bits.OnesCount64(b)) }

// above is one more than the highest message of a group whose bit is set, or 0.
func above(i int, set uint64) uint32 {
	if set == 0 {
		return 0
	}
	return uint32(i*64 + bits.Len64(set))
}
