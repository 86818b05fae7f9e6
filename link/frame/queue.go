package frame

import (
	"container/heap"
	"time"
)

// queue holds the frames of one way that are due later, and a goroutine, while there are any, that hands them over.
type queue struct {
	way     *way
	due     frames
	n       uint64
	running bool
	idle    chan struct{} // closed when the goroutine has ended
	sleep   sleeper
}

// planned is a frame that is due at a wall time; n keeps the order of those that are due at the same.
type planned struct {
	frame []byte
	at    time.Time
	n     uint64
}

// frames is a heap, the next one due first.
type frames []planned

func (f frames) Len() int { return len(f) }
func (f frames) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].n < f[j].n
}
func (f frames) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *frames) Push(x any)   { *f = append(*f, x.(planned)) }
func (f *frames) Pop() any {
	old := *f
	last := old[len(old)-1]
	old[len(old)-1] = planned{}
	*f = old[:len(old)-1]
	return last
}

func (q *queue) open(d *way) { q.way, q.sleep.wake = d, make(chan struct{}, 1) }

// empty reports whether no frame waits or is being handed over; way.mu is held.
func (q *queue) empty() bool { return !q.running }

// push adds a frame; false when too many wait. way.mu is held.
func (q *queue) push(frame []byte, at time.Time) bool {
	if len(q.due) >= limit {
		return false
	}
	q.n++
	heap.Push(&q.due, planned{frame, at, q.n})
	switch {
	case !q.running:
		q.running, q.idle = true, make(chan struct{})
		go q.run()
	case q.due[0].n == q.n:
		q.sleep.up() // it is due before what the goroutine sleeps for
	}
	return true
}

// run hands frames over as they become due, until none is left.
func (q *queue) run() {
	d := q.way
	defer close(q.idle)
	d.mu.Lock()
	for len(q.due) > 0 && !d.closed {
		if wait := time.Until(q.due[0].at); wait > 0 {
			at := q.due[0].at
			d.mu.Unlock()
			q.sleep.until(at)
			d.mu.Lock()
			continue
		}
		next := heap.Pop(&q.due).(planned)
		receive := d.delivered(next.frame)
		d.mu.Unlock()
		d.hand(receive, next.frame)
		d.mu.Lock()
	}
	q.running, q.due = false, nil
	d.mu.Unlock()
}

// close ends the goroutine and waits for it; way.closed is set.
func (q *queue) close() {
	q.way.mu.Lock()
	running, idle := q.running, q.idle
	q.way.mu.Unlock()
	if running {
		q.sleep.up()
		<-idle
	}
}
