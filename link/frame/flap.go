package frame

import (
	"fmt"
	"sync"
	"time"
)

// Flap takes the link down and up again, over and over, until undone. It begins with down.
func (l *Link) Flap(down, up time.Duration) (undo func()) {
	healed := l.impair(Both, fmt.Sprintf("flapping, %s down and %s up", down, up), func(*way) func() { return func() {} })
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			restore, back := l.quietly(Both, outage), l.carrier.lose()
			over := l.wait(down, stop)
			restore()
			back()
			if over || l.wait(up, stop) {
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(stop)
		<-ended
		healed()
	})
}

// wait lets device time pass, and reports whether stop came first.
func (l *Link) wait(d time.Duration, stop <-chan struct{}) (stopped bool) {
	timer := time.NewTimer(l.wall(d))
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-stop:
		return true
	}
}
