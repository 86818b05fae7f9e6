package origin

import (
	"slices"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// Dir is the direction of a message.
type Dir byte

// In is to the server, Out from it.
const (
	In Dir = iota
	Out
)

// Rule does something else with messages. The first rule that matches takes a message.
type Rule struct {
	Dir   Dir
	Match func(*Peer, *coap.Message) bool // nil: every message; called by one goroutine at a time
	Do    Action
	Times int // 0: always
}

// Action does something with a message in place of handling or sending it. Pass does that, with whatever message, as often as it is
// called, also later.
type Action func(p *Peer, m *coap.Message, pass func(*coap.Message))

// When puts a rule in force.
func (s *Server) When(r Rule) (undo func()) {
	own := &r
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = append(s.rules, own)
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rules = slices.DeleteFunc(s.rules, func(o *Rule) bool { return o == own })
	})
}

// apply lets the rules have a message, and passes it where none takes it.
func (s *Server) apply(dir Dir, p *Peer, m *coap.Message, pass func(*coap.Message)) {
	s.mu.Lock()
	rules := slices.Clone(s.rules)
	s.mu.Unlock()
	for _, r := range rules {
		if r.Dir == dir && s.takes(r, p, m) {
			r.Do(p, m, pass)
			return
		}
	}
	pass(m)
}

// takes reports whether a rule matches a message and is not spent.
func (s *Server) takes(r *Rule, p *Peer, m *coap.Message) bool {
	s.matching.Lock()
	defer s.matching.Unlock()
	if r.Times < 0 || r.Match != nil && !r.Match(p, m) {
		return false
	}
	if r.Times > 0 {
		if r.Times--; r.Times == 0 {
			r.Times = -1
		}
	}
	return true
}

// Drop does nothing with a message.
func Drop() Action { return func(*Peer, *coap.Message, func(*coap.Message)) {} }

// Repeat passes a message n times, with gaps of device time between.
func Repeat(n int, gap time.Duration) Action {
	return func(p *Peer, m *coap.Message, pass func(*coap.Message)) {
		pass(m)
		for i := range n - 1 {
			p.s.after(time.Duration(i+1)*gap, func() { pass(m) })
		}
	}
}

// Delay passes a message later.
func Delay(d time.Duration) Action {
	return func(p *Peer, m *coap.Message, pass func(*coap.Message)) { p.s.after(d, func() { pass(m) }) }
}

// Change passes a message that was changed.
func Change(f func(*coap.Message)) Action {
	return func(_ *Peer, m *coap.Message, pass func(*coap.Message)) {
		own := m.Clone()
		f(own)
		pass(own)
	}
}

// Reject answers a message that came with a reset, and does nothing more with it.
func Reject() Action {
	return func(p *Peer, m *coap.Message, _ func(*coap.Message)) {
		p.Send(&coap.Message{Type: coap.RST, ID: m.ID})
	}
}

// Separate sends a response that is piggybacked on an acknowledgement apart from it: the acknowledgement at once and empty, the
// response so much later in a confirmable message of its own (RFC 7252 section 5.2.2).
func Separate(after time.Duration) Action {
	return func(p *Peer, m *coap.Message, pass func(*coap.Message)) {
		if m.Type != coap.ACK || m.Code == coap.Empty {
			pass(m)
			return
		}
		p.transmit(&coap.Message{Type: coap.ACK, ID: m.ID})
		p.s.after(after, func() {
			own := m.Clone()
			own.Type, own.ID = coap.CON, p.NextID()
			p.reliably(own)
		})
	}
}
