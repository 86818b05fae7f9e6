package broker

import (
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// Direction is that of a packet, seen from the broker.
type Direction byte

// The directions.
const (
	In  Direction = iota // from the part
	Out                  // to the part
)

// Rule says what is to happen to which packets. Rules are consulted for every packet in order of their making; the first that matches
// acts. They do not see what is sent with Send, SendRaw or Answer, nor the repetitions of Repeat.
type Rule struct {
	Dir   Direction
	Type  mqtt.Type                      // 0: any
	Match func(*Conn, *mqtt.Packet) bool // nil: any. It may look at the packet, not change it
	Times int                            // how often it acts; 0: until undone
	Do    Action
}

// Action is done by a rule, with the methods of Exchange. It runs in the connection's reader (In) or writer (Out), so packets of that
// connection wait for it; it must not wait for the connection.
type Action func(*Exchange)

// Exchange is one packet on its way. Fields of Packet may be set by an action, and then count; slices in it may be replaced, not
// written into.
type Exchange struct {
	Conn   *Conn
	Dir    Direction
	Packet *mqtt.Packet

	dropped  bool
	answered bool
	answers  []*mqtt.Packet
	delay    time.Duration
	inOrder  bool
	repeats  int
	gap      time.Duration
	replace  func(*mqtt.Packet) []byte
	end      ending
	after    []func(*Conn)
}

type rule struct {
	Rule
	left int
}

// rules has a lock of its own, which is not held while the functions of a rule run.
type rules struct {
	mu   sync.Mutex
	list []*rule // replaced, never changed in place
}

// When makes a rule; undo removes it, and may be called more than once.
func (b *Broker) When(r Rule) (undo func()) {
	made := &rule{Rule: r, left: r.Times}
	b.rules.mu.Lock()
	defer b.rules.mu.Unlock()
	b.rules.list = append(slices.Clip(b.rules.list), made)
	return func() {
		b.rules.mu.Lock()
		defer b.rules.mu.Unlock()
		b.rules.remove(made)
	}
}

func (rs *rules) remove(r *rule) {
	rs.list = slices.DeleteFunc(slices.Clone(rs.list), func(x *rule) bool { return x == r })
}

// take uses r once. It reports false when r was used up or undone meanwhile.
func (rs *rules) take(r *rule) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if !slices.Contains(rs.list, r) {
		return false
	}
	if r.Times > 0 {
		if r.left--; r.left == 0 {
			rs.remove(r)
		}
	}
	return true
}

func (rs *rules) consult(ex *Exchange) {
	rs.mu.Lock()
	list := rs.list
	rs.mu.Unlock()
	for _, r := range list {
		if r.Dir != ex.Dir || r.Type != 0 && r.Type != ex.Packet.Type {
			continue
		}
		if r.Match != nil && !r.Match(ex.Conn, ex.Packet) || !rs.take(r) {
			continue
		}
		if r.Do != nil {
			r.Do(ex)
		}
		return
	}
}
