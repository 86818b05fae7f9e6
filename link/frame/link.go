package frame

import (
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Way is a direction, or both.
type Way int

// The ways, seen from the part under test.
const (
	Up   Way = 1 << iota // from it
	Down                 // to it
	Both = Up | Down
)

func (w Way) String() string { return map[Way]string{Up: "up", Down: "down", Both: "both ways"}[w] }

// Options is what a link is made of.
type Options struct {
	Name  string // as its events are signed
	Clock *clock.Clock
	Log   *evidence.Log // nil: nothing is logged
	Seed  uint64

	// Capture sees every frame at the near end: what goes up as it is sent, what goes down as it is delivered. It must not keep or
	// change it. Nil: none does.
	Capture func(frame []byte, way Way)
}

// Link is a packet link between a near and a far end. It is safe for concurrent use.
type Link struct {
	o    Options
	up   way
	down way

	carrier carrier
}

// New makes a link whose ends are not attached yet: frames to them are lost.
func New(o Options) *Link {
	w := &Link{o: o}
	w.up.open(w, Up, rand.New(rand.NewPCG(o.Seed, 1)))
	w.down.open(w, Down, rand.New(rand.NewPCG(o.Seed, 2)))
	return w
}

// Near attaches the near end: receive gets what comes down, and owns it. It is called by one goroutine after the other, but may be
// called by that of a sender, so it must not wait for one.
func (l *Link) Near(receive func(frame []byte)) { l.down.attach(receive) }

// Far attaches the far end, which gets what comes up.
func (l *Link) Far(receive func(frame []byte)) { l.up.attach(receive) }

// SendUp sends a frame from the near end. The link owns it from then on.
func (l *Link) SendUp(frame []byte) { l.up.send(frame) }

// SendDown sends a frame from the far end. The link owns it from then on.
func (l *Link) SendDown(frame []byte) { l.down.send(frame) }

// Count is what happened to the frames of one way.
type Count struct {
	Sent      int64 `json:"sent"`      // into the link
	Delivered int64 `json:"delivered"` // out of it, duplicates included
	Lost      int64 `json:"lost"`      // by whatever reason
	Bytes     int64 `json:"bytes"`     // delivered
}

// Counts is what happened to frames so far, up and down.
func (l *Link) Counts() (up, down Count) { return l.up.counts(), l.down.counts() }

// Close ends the link: frames on their way are lost, and nothing of it runs any more.
func (l *Link) Close() {
	l.up.close()
	l.down.close()
}

// each calls f for every way that is meant.
func (l *Link) each(which Way, f func(*way)) {
	if which&Up != 0 {
		f(&l.up)
	}
	if which&Down != 0 {
		f(&l.down)
	}
}

// impair puts something in force by set, which changes one way and returns its undo, and logs that it began and ended.
func (l *Link) impair(which Way, what string, set func(*way) (undo func())) (undo func()) {
	text := fmt.Sprintf("%s: %s (%s)", l.o.Name, what, which)
	undone := l.quietly(which, set)
	l.note(evidence.Impair, text)
	return sync.OnceFunc(func() {
		undone()
		l.note(evidence.Heal, text)
	})
}

// quietly is impair without a word in the log.
func (l *Link) quietly(which Way, set func(*way) (undo func())) (undo func()) {
	var undos []func()
	l.each(which, func(d *way) {
		d.mu.Lock()
		defer d.mu.Unlock()
		u := set(d)
		undos = append(undos, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			u()
		})
	})
	return func() {
		for _, u := range undos {
			u()
		}
	}
}

func (l *Link) note(kind evidence.Kind, text string) {
	if l.o.Log != nil {
		l.o.Log.Add(evidence.Event{Kind: kind, Text: text})
	}
}
