package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
)

// MaxOpen is how many connections one Stream holds open at a time. What comes beyond is closed at once and counted, so that a part
// that connects without end cannot exhaust the machine.
const MaxOpen = 256

// Listen gives a listener on the link's address. It is called again after Refuse is undone and must give the same port.
type Listen func() (net.Listener, error)

// Stream is a TCP link between a part under test, which dials, and a stand-in, which accepts. It is safe for concurrent use.
type Stream struct {
	name string
	clk  *clock.Clock
	log  *evidence.Log

	watches bool // the listener itself can tell of refused attempts

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	ready  chan *Conn // accepted, for Accept

	segment  Stack[int]    // bytes
	rate     Stack[int]    // bytes per second of device time
	onAccept Stack[ending] // how a new connection is ended at once

	hushing sync.Mutex // held while connections are told of a new silence, so that they hear in order

	mu       sync.Mutex
	listen   Listen
	addr     net.Addr
	closed   bool
	broken   error        // why the port could not be opened again
	listener net.Listener // nil while refused
	unwatch  func()       // not nil while SYNs to the closed port are watched
	refusals int
	holes    int
	freezes  int
	conns    map[*Conn]struct{}
	number   int
	turned   int
}

// NewStream opens the link's port. Its events carry name as their part.
func NewStream(name string, listen Listen, clk *clock.Clock, log *evidence.Log) (*Stream, error) {
	ln, err := listen()
	if err != nil {
		return nil, fmt.Errorf("open link %s: %w", name, err)
	}
	s := &Stream{
		name: name, listen: listen, clk: clk, log: log, addr: ln.Addr(), listener: ln,
		ready: make(chan *Conn, MaxOpen), conns: make(map[*Conn]struct{}),
	}
	_, s.watches = ln.(Watcher)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.tasks.Go(func() { s.serve(ln) })
	return s, nil
}

// Name is the link's name, which is the part of its events.
func (s *Stream) Name() string { return s.name }

// Addr is where the part connects to. It stays the same while the port is refused.
func (s *Stream) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addr
}

// Accept gives the next connection to the stand-in. It waits while the port is refused or the link is a black hole, and fails with
// net.ErrClosed after Close, or with the reason when the port could not be opened again.
func (s *Stream) Accept() (*Conn, error) {
	select {
	case c := <-s.ready:
		return c, nil
	case <-s.ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	return nil, fmt.Errorf("accept on link %s: %w", s.name, net.ErrClosed)
}

// SeesRefused reports whether attempts that come while the port is closed are logged.
func (s *Stream) SeesRefused() bool { return s.watches || CanWatchRefused() }

// TurnedAway is how many connections were closed at once because MaxOpen were open.
func (s *Stream) TurnedAway() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.turned
}

// Close closes the port and every connection, and waits until nothing of the link runs any more. Later calls do nothing.
func (s *Stream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	ln, unwatch := s.listener, s.unwatch
	s.listener, s.unwatch = nil, nil
	s.mu.Unlock()

	s.cancel()
	if unwatch != nil {
		unwatch()
	}
	var err error
	if ln != nil {
		err = ln.Close()
	}
	for _, c := range s.open() {
		c.shut(byFin)
		c.drop()
	}
	s.tasks.Wait()
	return err
}

// serve takes connections from ln until ln is closed.
func (s *Stream) serve(ln net.Listener) {
	for {
		raw, err := ln.Accept()
		switch {
		case err == nil:
			s.admit(raw)
		case errors.Is(err, net.ErrClosed) || !s.listening(ln):
			return
		default: // mostly no more file descriptors; the part waits in the kernel's queue meanwhile
			if s.clk.Sleep(s.ctx, s.clk.Device(20*time.Millisecond)) != nil {
				return
			}
		}
	}
}

func (s *Stream) listening(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener == ln
}

// admit makes a Conn of raw and passes it to Accept, unless an impairment has other plans.
func (s *Stream) admit(raw net.Conn) {
	s.mu.Lock()
	if s.closed || len(s.conns) >= MaxOpen {
		s.turnAway()
		s.mu.Unlock()
		raw.Close()
		return
	}
	s.number++
	c := newConn(s, raw, s.number, s.silence())
	s.conns[c] = struct{}{}
	s.tasks.Add(1)
	s.mu.Unlock()

	s.add(evidence.Event{Conn: c.Number, Kind: evidence.Open, Text: raw.RemoteAddr().String()})
	go func() {
		defer s.tasks.Done()
		c.pump()
	}()
	if how, on := s.onAccept.Top(); on {
		c.shut(how)
		return
	}
	if c.unheard() {
		return
	}
	select {
	case s.ready <- c:
	default: // the stand-in accepts nothing
		c.shut(byReset)
	}
}

// turnAway counts a connection beyond MaxOpen; s.mu is held. Only powers of two are logged, or a flood would fill the log.
func (s *Stream) turnAway() {
	if s.closed {
		return
	}
	s.turned++
	if s.turned&(s.turned-1) == 0 {
		s.add(evidence.Event{Kind: evidence.Refused, Text: fmt.Sprintf("%d connections so far closed at once because %d were open", s.turned, MaxOpen)})
	}
}

// open lists the connections that are not yet dropped.
func (s *Stream) open() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

func (s *Stream) forget(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Stream) add(e evidence.Event) {
	e.Part = s.name
	s.log.Add(e)
}

// impair logs that an impairment began and returns its undo, which logs the end; only its first call does something.
func (s *Stream) impair(text string, heal func()) (undo func()) {
	s.add(evidence.Event{Kind: evidence.Impair, Text: text})
	return sync.OnceFunc(func() {
		heal()
		s.add(evidence.Event{Kind: evidence.Heal, Text: text})
	})
}
