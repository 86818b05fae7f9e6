package link

import (
	"fmt"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// reopening is how often Refuse tries to get its port back, 20 ms apart.
const reopening = 25

// Refuse closes the port: the kernel answers a SYN with RST. Connections that are open stay so. Where SeesRefused holds, every
// SYN that comes meanwhile is logged as a Refused event. When the port cannot be opened again, undo logs why and the link is closed
// for new connections: Accept fails with the reason. It fails with net.ErrClosed after Close.
func (s *Stream) Refuse() (undo func(), err error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, fmt.Errorf("refuse on link %s: %w", s.name, net.ErrClosed)
	}
	s.refusals++
	ln := s.listener
	s.listener = nil
	s.mu.Unlock()
	if ln != nil {
		ln.Close()
		s.watch(ln)
	}
	return s.impair("refuse", s.unrefuse), nil
}

// Watcher is a listener that can tell of the SYNs that come to its port, also while it is closed.
type Watcher interface {
	WatchRefused(seen func(from net.Addr)) (stop func())
}

func (s *Stream) refused(text string) {
	s.add(evidence.Event{Kind: evidence.Refused, Text: text})
}

// watch logs the SYNs to the port of a closed listener, where it or the system lets us see them.
func (s *Stream) watch(ln net.Listener) {
	seen := func(from net.Addr) { s.refused("SYN from " + from.String()) }
	var stop func()
	if w, ok := ln.(Watcher); ok {
		stop = w.WatchRefused(seen)
	} else if tcp, ok := s.Addr().(*net.TCPAddr); ok {
		var err error
		if stop, err = WatchRefused(tcp.Port, seen); err != nil {
			return // not allowed here; SeesRefused says so to whom it concerns
		}
	} else {
		return
	}
	s.mu.Lock()
	late := s.closed || s.unwatch != nil
	if !late {
		s.unwatch = stop
	}
	s.mu.Unlock()
	if late {
		stop()
	}
}

func (s *Stream) unrefuse() {
	s.mu.Lock()
	s.refusals--
	if s.refusals > 0 || s.closed {
		s.mu.Unlock()
		return
	}
	stop := s.unwatch
	s.unwatch = nil
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
	ln, err := s.relisten()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.broken = err
		s.add(evidence.Event{Kind: evidence.Seen, Text: err.Error()})
		s.cancel()
	case s.closed || s.refusals > 0 || s.listener != nil: // overtaken
		ln.Close()
	default:
		s.listener = ln
		s.tasks.Go(func() { s.serve(ln) })
	}
}

// relisten opens the same port again. Another program may have taken it for a moment as its own end of a connection.
func (s *Stream) relisten() (ln net.Listener, err error) {
	s.mu.Lock()
	listen, addr := s.listen, s.addr
	s.mu.Unlock()
	for range reopening {
		ln, err = listen()
		if err == nil && ln.Addr().String() == addr.String() {
			return ln, nil
		}
		if err == nil {
			err = fmt.Errorf("got %s", ln.Addr())
			ln.Close()
		}
		if s.clk.Sleep(s.ctx, s.clk.Device(20*time.Millisecond)) != nil {
			break
		}
	}
	return nil, fmt.Errorf("open link %s at %s again: %w", s.name, addr, err)
}
