package origin

import (
	"bytes"
	"slices"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
)

// observer is a peer that wants to be told of changes.
type observer struct {
	p       *Peer
	path    string
	request *coap.Message
	last    []uint16 // message ids of its notifications
}

// Observers is how many observe a path.
func (s *Server) Observers(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, o := range s.observers {
		if o.path == path {
			n++
		}
	}
	return n
}

// Observing is the peer that registered an observation last; nil when there is none.
func (s *Server) Observing() *Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range slices.Backward(s.observers) {
		if !o.p.Ended() {
			return o.p
		}
	}
	return nil
}

// NotifyBy sets the type of notifications, which is CON at first.
func (s *Server) NotifyBy(t coap.Type) (undo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.notify
	s.notify = t
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.notify = before
	}
}

// observe registers or deregisters who asked, as the request says, and puts the observe option into the response.
func (s *Server) observe(p *Peer, req, m *coap.Message) {
	n, ok := req.Uint(coap.Observe)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observers = slices.DeleteFunc(s.observers, func(o *observer) bool {
		return o.p == p && o.path == req.Path() && bytes.Equal(o.request.Token, req.Token)
	})
	if n != 0 || len(s.observers) >= maxObservers {
		return
	}
	s.observers = append(s.observers, &observer{p: p, path: req.Path(), request: req})
	s.sequence++
	m.AddUint(coap.Observe, s.sequence&(1<<24-1))
}

// reset removes the observer to which a notification of that message id was sent.
func (s *Server) reset(p *Peer, id uint16) {
	s.mu.Lock()
	before := len(s.observers)
	s.observers = slices.DeleteFunc(s.observers, func(o *observer) bool { return o.p == p && slices.Contains(o.last, id) })
	gone := len(s.observers) < before
	s.mu.Unlock()
	if gone {
		s.note(evidence.Seen, p.number, "an observation was ended by a reset")
	}
}

// Notify tells the observers of a path what it holds now.
func (s *Server) Notify(path string) {
	for _, n := range s.Notifications(path) {
		n.Send()
	}
}

// Notification is one that can be sent, at once or later, or never.
type Notification struct {
	Peer    *Peer
	Message *coap.Message
	o       *observer
}

// Send sends the notification: a CON until it is acknowledged.
func (n Notification) Send() {
	if n.Message.Type != coap.CON {
		n.Peer.Send(n.Message)
		return
	}
	n.Peer.reliably(n.Message, func(err error) {
		if err == nil {
			return
		}
		s := n.Peer.s
		s.mu.Lock()
		defer s.mu.Unlock()
		s.observers = slices.DeleteFunc(s.observers, func(o *observer) bool { return o == n.o })
	})
}

// Notifications makes one for each observer of a path, of what it holds now, with ever larger observe values.
func (s *Server) Notifications(path string) []Notification {
	s.mu.Lock()
	r := s.resources[path]
	var all []Notification
	for _, o := range s.observers {
		if o.path == path {
			all = append(all, Notification{Peer: o.p, o: o})
		}
	}
	kind := s.notify
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	for i := range all {
		n := &all[i]
		n.Message = &coap.Message{Type: kind, ID: n.Peer.NextID(), Token: n.o.request.Token}
		s.fill(n.Message, n.o.request, r.Handle(n.Peer, n.o.request, nil))
		s.mu.Lock()
		s.sequence++
		n.Message.AddUint(coap.Observe, s.sequence&(1<<24-1))
		if n.o.last = append(n.o.last, n.Message.ID); len(n.o.last) > 16 {
			n.o.last = n.o.last[1:]
		}
		s.mu.Unlock()
	}
	return all
}
