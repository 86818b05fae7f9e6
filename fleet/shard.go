package fleet

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/record"
	"github.com/shakedown-test/shakedown/fleet/series"
)

// shard is an event loop with its part of the devices. All of it but the inbox belongs to the goroutine of loop.
type shard struct {
	*plan
	first    int // number of its first device
	devices  []device
	streams  []stream // plan.perEach for each device
	notices  []uint32 // of each device, which messages for all it got, a bit for each; empty: there are none
	orders   []stream // plan.perOrder for each device: commands that the operator sends to it
	timers   *timers  // of each device, then of each stream, then of each order
	poll     *poll
	meter    *series.Meter
	rand     *rand.Rand
	operator int32  // the place of the operator among devices; -1: none is here
	watched  bool   // the operator's subscriptions are accepted
	denied   string // how one of them was refused; empty: none was
	place    int    // among the loops of the run
	loops    int    // of the run
	boss     *shard // the one that has the operator
	sink     Sink
	stood    atomic.Int64 // devices that were connected when the last second ended

	buf     []byte          // what is read, of whichever device
	packet  []byte          // what is written
	path    []byte          // the path of a request
	body    []byte          // the payload of a request
	wrapped []byte          // the same in WebSocket frames
	sealed  []byte          // the same in TLS records
	name    []byte          // a client id
	ciphers *record.Ciphers // of the connections that are busy
	values  []string        // of the names of a class
	fields  payload.Vars

	cutAt    int64 // when all connections are to be cut; 0: never
	joined   int   // devices that were meant to connect by now
	up       int   // devices that are connected now
	cutOffs  int   // devices that were cut off by the course all at once
	away     int   // devices that were cut off by the course and are not back
	backAt   int64 // when the last of them was back
	second   int
	stopping bool
	whole    int64 // since when nothing has been missing of what was sent; 0: something is
	lookAt   int64 // when to look again whether something is

	life    context.Context // of what runs beside the loop
	dies    context.CancelFunc
	errands []errand
	running int // errands that are under way

	shaking   int // handshakes that are under way
	handshake []handshake

	goroutines sync.WaitGroup // of carriers and handshakes

	mu    sync.Mutex
	inbox []func(now int64) // from goroutines
}

// batch is how many timers fire before sockets are looked at again.
const batch = 64

// rest is the shortest sleep: what is due within it is sent together. It is the price in exactness of not waking up for each message.
const rest = 500 * time.Microsecond

func (s *shard) now() int64 { return int64(time.Since(s.start)) }

// post has f called by the loop.
func (s *shard) post(f func(now int64)) {
	s.mu.Lock()
	s.inbox = append(s.inbox, f)
	first := len(s.inbox) == 1
	s.mu.Unlock()
	if first {
		s.poll.wake()
	}
}

// prelude connects the operator and waits until it is subscribed, so that nothing that devices send is missed.
func (s *shard) prelude(ctx context.Context) error {
	if s.operator < 0 {
		return nil
	}
	defer context.AfterFunc(ctx, s.poll.wake)()
	s.timers.set(s.operator, 0)
	for until := int64(preludeTime); !s.watched; {
		switch now := s.now(); {
		case ctx.Err() != nil:
			return ctx.Err()
		case now > until || s.denied != "":
			return fmt.Errorf("connect the operator: %s\nhint: it needs an identity that may subscribe to what the fleet publishes: operator: in the fleet file",
				cmp.Or(s.denied, s.trouble()))
		}
		if err := s.step(200 * time.Millisecond); err != nil {
			return err
		}
	}
	s.devices[s.operator].wrote = 0
	s.alive(s.operator, 0)
	return nil
}

// preludeTime is how long the operator may take.
const preludeTime = 15 * time.Second

// trouble is what hindered the operator, as far as it is known.
func (s *shard) trouble() string {
	slice := s.meter.Cut()
	for _, classes := range []series.Classes{slice.Answers(), slice.Errors()} {
		for _, what := range slices.Sorted(maps.Keys(classes)) {
			return what
		}
	}
	return "no answer to its SUBSCRIBE"
}

// loop lives the devices until the run is over or ctx ends. The error is one of the system's.
func (s *shard) loop(ctx context.Context) error {
	s.poll.own()
	defer context.AfterFunc(ctx, s.poll.wake)()
	s.meter.Cut()
	for {
		now, over := s.now(), s.over.Load()
		if s.cut(now); now >= over+int64(s.drain) || ctx.Err() != nil {
			return nil
		}
		if !s.stopping && now >= over {
			s.stop()
		}
		if s.cutAt > 0 && now >= s.cutAt {
			s.cutAll(now)
		}
		most := s.untilNext(now)
		if s.stopping && s.job.Settle > 0 {
			if s.settled(now) {
				return nil
			}
			most = min(most, s.job.Settle/looks)
		}
		if err := s.step(most); err != nil {
			return err
		}
	}
}

// untilNext is how long it is until the next second is over, the fleet is cut off, or the run ends.
func (s *shard) untilNext(now int64) time.Duration {
	next := int64(s.second+1) * int64(time.Second)
	if !s.stopping {
		next = min(next, int64(s.length))
	}
	if s.cutAt > 0 {
		next = min(next, s.cutAt)
	}
	return time.Duration(next - now)
}

// step does what is due, and waits for sockets until the next is, or for at most a time.
func (s *shard) step(most time.Duration) error {
	now := s.now()
	s.posted(now)
	s.fire(now)
	wait := most
	if due, ok := s.timers.next(); ok {
		wait = min(wait, max(0, time.Duration(due-s.now())))
	}
	if wait > 0 {
		wait = max(wait, rest)
	}
	return s.poll.wait(wait, s.happened)
}

// cutAll cuts all connections of devices.
func (s *shard) cutAll(now int64) {
	s.cutAt = 0
	for i := range s.devices {
		if int32(i) != s.operator {
			s.cutOff(int32(i), now)
		}
	}
	s.cutOffs = s.away
}

func (s *shard) posted(now int64) {
	s.mu.Lock()
	all := s.inbox
	s.inbox = nil
	s.mu.Unlock()
	for _, f := range all {
		f(now)
	}
}

// fire does what is due.
func (s *shard) fire(now int64) {
	for range batch {
		id, due, ok := s.timers.pop(now)
		if !ok {
			return
		}
		switch n, k := int32(len(s.devices)), int32(len(s.streams)); {
		case id < n:
			s.control(id, due, now)
		case id < n+k:
			s.message(id-n, due, now)
		case id < n+k+int32(len(s.orders)):
			s.order(id-n-k, due, now)
		default:
			s.update(id-n-k-int32(len(s.orders)), due, now)
		}
		now = s.now()
	}
}

// cut ends a second.
func (s *shard) cut(now int64) {
	for ; now >= int64(s.second+1)*int64(time.Second); s.second++ {
		s.slice()
	}
}

// slice hands over what was measured since the last time.
func (s *shard) slice() {
	s.stood.Store(int64(s.up))
	s.meter.Set(series.Connected, s.up)
	s.meter.Set(series.Devices, s.joined)
	s.meter.Set(series.Outstanding, s.waits())
	if s.place == 0 {
		s.meter.Set(series.Held, max(0, Memory()-s.idle))
	}
	s.sink(s.place, s.second, s.meter.Cut())
}

// waits is how many messages of this loop's devices wait for their acknowledgement.
func (s *shard) waits() (n int) {
	for i := range s.devices {
		if x := s.devices[i].x; x != nil {
			n += x.waits()
		}
	}
	return n
}

// happened is told of a socket on which something happened.
func (s *shard) happened(r ready) {
	d := &s.devices[r.owner]
	if d.turn != r.turn || d.fd < 0 {
		return
	}
	now := s.now()
	if d.state == connecting {
		s.connected(r.owner, now)
		return
	}
	if r.out {
		s.flush(r.owner)
	}
	if r.in && d.turn == r.turn && d.fd >= 0 {
		s.readable(r.owner, now)
	}
}
