package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrClosed is returned by Await when the log was closed before a matching event came.
var ErrClosed = errors.New("evidence: log closed")

// Limit is how many events one log keeps. A hostile part can make events without end; what comes after is counted only. Console
// lines and incoming packets may take a share of it, so that what is done to the part can always be told.
const (
	Limit        = 20000
	limitConsole = Limit / 4
	limitIn      = Limit / 2
)

// Log is the append-only record of one job. It is safe for concurrent use.
type Log struct {
	now   func() time.Time
	plain bool // write secrets too

	mu      sync.Mutex
	events  []Event
	console int // events of Kind Console
	in      int // events of Kind In
	dropped int // but for console lines
	closed  bool
	changed chan struct{} // closed and replaced at every append
	out     io.Writer     // nil, or where each event goes as a JSON line
	keys    openKeys
	err     error // the first error of out
	frames  func() int
}

// NewLog returns a log that stamps events with now and writes each as a JSON line to out as it happens; out may be nil.
// Secrets are blanked in what is written, unless keepSecrets is set.
func NewLog(now func() time.Time, out io.Writer, keepSecrets bool) *Log {
	return &Log{now: now, plain: keepSecrets, out: out, changed: make(chan struct{}), keys: openKeys{}}
}

// CountFrames has every event from now on say how many frames were captured by then, as count tells. Count must not use the log.
func (l *Log) CountFrames(count func() int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = count
}

// Add stamps e with its number and, where At is zero, the time, and appends it. In memory an event is whole, for the checks to
// judge; what is written is redacted. Add returns the event's number, or -1 when the log is full or closed.
func (l *Log) Add(e Event) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return -1
	}
	if len(l.events) >= Limit || e.Kind == Console && l.console >= limitConsole || e.Kind == In && l.in >= limitIn {
		if e.Kind != Console {
			l.dropped++
		}
		return -1
	}
	switch e.Kind {
	case Console:
		l.console++
	case In:
		l.in++
	}
	if len(l.events) == Limit-1 {
		l.dropped++
		e = Event{Kind: Overflow, Text: fmt.Sprintf("more than %d events; later ones are not kept", Limit-1)}
	}
	e.N = len(l.events)
	if e.At.IsZero() {
		e.At = l.now()
	}
	if l.frames != nil {
		e.Frame = l.frames()
	}
	l.events = append(l.events, e)
	if l.out != nil && l.err == nil {
		l.err = l.write(e)
	}
	close(l.changed)
	l.changed = make(chan struct{})
	return e.N
}

func (l *Log) write(e Event) error {
	var err error
	if !l.plain {
		e = l.keys.blank(e)
		if e, err = e.redacted(); err != nil {
			return fmt.Errorf("redact event %d: %w", e.N, err)
		}
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %d: %w", e.N, err)
	}
	_, err = l.out.Write(append(line, '\n'))
	return err
}

// Len is the number of events so far; it serves as a mark for Since and Await.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}

// Dropped is how many events came after the log was full, but for console lines, of which a part may print any number.
func (l *Log) Dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Since returns the events from mark on. The slice is the caller's to read, not to write.
func (l *Log) Since(mark int) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	if mark >= len(l.events) {
		return nil
	}
	return l.events[mark:len(l.events):len(l.events)]
}

// Await returns the first event at or after mark for which match holds, waiting for it if need be. It fails with ctx's error or
// ErrClosed.
func (l *Log) Await(ctx context.Context, mark int, match func(Event) bool) (Event, error) {
	for {
		l.mu.Lock()
		events, changed, closed := l.events, l.changed, l.closed
		l.mu.Unlock()
		for ; mark < len(events); mark++ {
			if match(events[mark]) {
				return events[mark], nil
			}
		}
		if closed {
			return Event{}, ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Event{}, ctx.Err()
		}
	}
}

// Close ends the log: later events are ignored and waits end. It returns the first error of writing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		close(l.changed)
	}
	return l.err
}
