package frame

import "time"

// line is where frames wait for their turn when the rate is limited: first in, first out. Who takes them out may come late; the times
// are as if they had been taken out just when the link was free.
type line struct {
	waiting fifo[held]
	bytes   int           // that wait
	free    time.Duration // when the link has sent the frame before
	codel   codel
}

// held is a frame in the line.
type held struct {
	frame []byte
	came  time.Duration
}

func (l *line) len() int { return l.waiting.len() }

// join puts a frame at the end of the line; false when that is full.
func (l *line) join(frame []byte, now time.Duration, r *shaper) bool {
	if l.bytes+len(frame) > r.queue && l.free > now {
		return false
	}
	l.waiting.push(held{frame, now})
	l.bytes += len(frame)
	return true
}

// turn is when the first frame of the line can go.
func (l *line) turn() time.Duration { return max(l.free, l.waiting.front().came) }

// pop takes the first frame out.
func (l *line) pop() held {
	h := l.waiting.pop()
	l.bytes -= len(h.frame)
	return h
}

// clear loses what waits, and says how many frames that were.
func (l *line) clear() (lost int) {
	lost = l.len()
	*l = line{}
	return lost
}

// advance sends every frame of the line whose turn has come; d.mu is held.
func (d *way) advance(now time.Duration) {
	l := &d.line
	for l.len() > 0 {
		r := d.rate.top()
		if r == nil { // it was undone: nothing holds them back
			d.launch(l.pop().frame, now)
			l.free = 0
			continue
		}
		turn := l.turn()
		if turn > now {
			return
		}
		var h held
		if r.codel {
			var lost int
			h, lost = l.codel.dequeue(turn, r, l)
			d.count.Lost += int64(lost)
		} else {
			h = l.pop()
		}
		if h.frame != nil {
			l.free = turn + r.takes(len(h.frame))
			d.launch(h.frame, l.free)
		}
	}
}

// fifo is a queue that gives its memory back. The zero value is empty.
type fifo[T any] struct {
	items []T
	first int
}

func (q *fifo[T]) len() int { return len(q.items) - q.first }

func (q *fifo[T]) push(v T) { q.items = append(q.items, v) }

func (q *fifo[T]) front() *T { return &q.items[q.first] }

// all are the items, the first one first.
func (q *fifo[T]) all() []T { return q.items[q.first:] }

func (q *fifo[T]) pop() (v T) {
	var none T
	v, q.items[q.first] = q.items[q.first], none
	q.first++
	switch {
	case q.first == len(q.items):
		q.items, q.first = q.items[:0], 0
		if cap(q.items) > 1024 {
			q.items = nil
		}
	case q.first >= 64 && q.first*2 >= len(q.items):
		n := copy(q.items, q.items[q.first:])
		clear(q.items[n:])
		q.items, q.first = q.items[:n], 0
	}
	return v
}
