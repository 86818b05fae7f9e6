package frame

import "time"

// ticker wakes a goroutine at a wall time, by a Go timer.
type ticker struct {
	rung  chan struct{} // of capacity 1
	timer *time.Timer
}

func (t *ticker) set(at time.Time) {
	if t.rung == nil {
		t.rung = make(chan struct{}, 1)
	}
	select {
	case <-t.rung: // from the time before
	default:
	}
	t.timer = time.NewTimer(time.Until(at))
}

func (t *ticker) wait() {
	defer t.timer.Stop()
	select {
	case <-t.timer.C:
	case <-t.rung:
	}
}

func (t *ticker) ring() {
	select {
	case t.rung <- struct{}{}:
	default:
	}
}
