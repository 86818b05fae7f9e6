package frame

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

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

func (w Way) String() string {
	switch w {
	case Up:
		return "up"
	case Down:
		return "down"
	}
	return "both ways"
}

// Options is what a link is made of.
type Options struct {
	Name  string // as its events are signed
	Clock *clock.Clock
	Log   *evidence.Log // nil: nothing is logged
	Seed  uint64
}

// Link is a packet link between a near and a far end. It is safe for concurrent use.
type Link struct {
	o       Options
	start   time.Time // wall time; the link's times are counted from it
	up      way
	down    way
	carrier carrier
	seers   seers

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	tasks  sync.WaitGroup // of Flap and of courses
}

// New makes a link whose ends are not attached yet: frames to them are lost.
func New(o Options) *Link {
	l := &Link{o: o, start: time.Now()}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.up.open(l, Up, o.Seed, 1)
	l.down.open(l, Down, o.Seed, 2)
	return l
}

// Name is what the link's events are signed with.
func (l *Link) Name() string { return l.o.Name }

// Near attaches the near end: receive gets what comes down, and owns it. It is called by senders or by a goroutine of the link, by
// several at once when several send, so it must neither wait for a sender nor close the link. Nil takes the end off.
func (l *Link) Near(receive func(frame []byte)) { l.down.attach(receive) }

// Far attaches the far end, which gets what comes up, in the same way.
func (l *Link) Far(receive func(frame []byte)) { l.up.attach(receive) }

// SendUp sends a frame from the near end. The link owns it from then on.
func (l *Link) SendUp(frame []byte) {
	l.seers.show(frame, Up)
	l.up.send(frame)
}

// SendDown sends a frame from the far end. The link owns it from then on.
func (l *Link) SendDown(frame []byte) { l.down.send(frame) }

// Count is what happened to the frames of one way.
type Count struct {
	Sent      int64 `json:"sent"`      // into the link
	Delivered int64 `json:"delivered"` // out of it; duplicates and fragments count each
	Lost      int64 `json:"lost"`      // by whatever reason
	Bytes     int64 `json:"bytes"`     // delivered
}

// Counts is what happened to frames so far, up and down.
func (l *Link) Counts() (up, down Count) { return l.up.counts(), l.down.counts() }

// Close ends the link: frames on their way are lost, and nothing of it runs any more. A receiver must not call it. Undos may still be
// called.
func (l *Link) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.up.close()
	l.down.close()
	l.tasks.Wait()
}

// each calls f for every way that is meant, with its lock held.
func (l *Link) each(which Way, f func(*way)) {
	for _, d := range []*way{&l.up, &l.down} {
		if which&d.is != 0 {
			d.mu.Lock()
			f(d)
			d.mu.Unlock()
		}
	}
}

// impair puts something in force by set, which changes one way and returns its undo, and logs that it began and ended.
func (l *Link) impair(which Way, what string, set func(*way) (undo func())) (undo func()) {
	return l.noted(fmt.Sprintf("%s (%s)", what, which), l.quietly(which, set))
}

// quietly is impair without a word in the log.
func (l *Link) quietly(which Way, set func(*way) (undo func())) (undo func()) {
	undos := map[*way]func(){}
	l.each(which, func(d *way) { undos[d] = set(d) })
	return func() {
		l.each(which, func(d *way) { undos[d]() })
	}
}

// noted logs that what is undone by undo began, and that it ended.
func (l *Link) noted(what string, undo func()) func() {
	text := l.o.Name + ": " + what
	l.note(evidence.Impair, text)
	return sync.OnceFunc(func() {
		undo()
		l.note(evidence.Heal, text)
	})
}

func (l *Link) note(kind evidence.Kind, text string) {
	if l.o.Log != nil {
		l.o.Log.Add(evidence.Event{Part: l.o.Name, Kind: kind, Text: text})
	}
}

// other is the way against is.
func (l *Link) other(is Way) *way {
	if is == Up {
		return &l.down
	}
	return &l.up
}

// wall is a span of device time as wall time.
func (l *Link) wall(d time.Duration) time.Duration { return l.o.Clock.Wall(d) }

// now is the wall time since the link was made.
func (l *Link) now() time.Duration { return time.Since(l.start) }

// random is a source of chance of its own for each way and purpose. Seeds that differ little give chance that differs much.
func random(seed, way, purpose uint64) *rand.Rand {
	mixed := rand.NewPCG(seed, way<<8|purpose)
	for range 4 {
		mixed.Uint64()
	}
	return rand.New(rand.NewPCG(mixed.Uint64(), mixed.Uint64()))
}
