package frame

import (
	"fmt"
	"time"
)

// Flap takes the link down and up again, over and over, until undone or until the link is closed. It begins with down.
func (l *Link) Flap(down, up time.Duration) (undo func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	undo = l.noted(fmt.Sprintf("flapping, %s down and %s up", down, up), func() {
		close(stop)
		<-ended
	})
	restore := l.takeDown() // before Flap returns, so that a caller can rely on it
	if !l.begin(func() {
		defer close(ended)
		for {
			over := l.wait(down, stop)
			restore()
			if over || l.wait(up, stop) {
				return
			}
			restore = l.takeDown()
		}
	}) {
		restore()
		close(ended)
	}
	return undo
}

// begin runs f in a goroutine that Close waits for; false when the link is closed.
func (l *Link) begin(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.tasks.Go(f)
	return true
}

// wait lets device time pass, at least a millisecond of wall time, and reports whether stop or the end of the link came first.
func (l *Link) wait(d time.Duration, stop <-chan struct{}) (stopped bool) {
	timer := time.NewTimer(max(l.wall(d), time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-stop:
	case <-l.ctx.Done():
	}
	return true
}
