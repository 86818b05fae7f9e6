package broker

import (
	"errors"
	"sync"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// ErrEnded is returned by sends on a connection that has ended or is ending.
var ErrEnded = errors.New("mqtt connection has ended")

// ending is how a connection is ended by the broker.
type ending byte

const (
	stay ending = iota
	fin
	rst
)

// item is one thing for the writer of a connection to do.
type item struct {
	packet *mqtt.Packet // to send, or
	raw    []byte       // bytes to send, logged as
	what   string
	told   bool   // sent as told: rules are not consulted
	end    ending // the end, after everything before it
}

func (it item) size() int {
	n := 64 + len(it.raw)
	if it.packet != nil {
		n += len(it.packet.Topic) + len(it.packet.Payload)
	}
	return n
}

// outbox is the bounded queue between the broker and the writer of a connection. Its lock is taken last.
type outbox struct {
	mu    sync.Mutex
	wake  *sync.Cond
	items []item
	size  int
	shut  bool   // nothing more goes in
	cut   ending // not stay: what is in it does not go out any more
}

func newOutbox() *outbox {
	o := &outbox{}
	o.wake = sync.NewCond(&o.mu)
	return o
}

// push appends it. It reports false when the box is shut, and whether the box is too full now.
func (o *outbox) push(it item) (ok, overflow bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shut {
		return false, false
	}
	o.items = append(o.items, it)
	o.size += it.size()
	o.shut = it.end != stay
	o.wake.Signal()
	return true, o.size > maxOutbox
}

// next waits for an item. After a cut it returns only the end.
func (o *outbox) next() item {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.items) == 0 && o.cut == stay {
		o.wake.Wait()
	}
	if o.cut != stay {
		return item{end: o.cut}
	}
	it := o.items[0]
	o.items[0] = item{}
	o.items = o.items[1:]
	o.size -= it.size()
	return it
}

// end shuts the box and throws away what is in it.
func (o *outbox) end(how ending) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cut == stay || how == rst {
		o.cut = how
	}
	o.shut, o.items, o.size = true, nil, 0
	o.wake.Signal()
}

// ending reports whether the box is shut.
func (o *outbox) ending() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.shut
}

// ended is how the connection ends, given what the writer was told: a reset wins.
func (o *outbox) ended(how ending) ending {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cut == rst {
		return rst
	}
	return how
}
