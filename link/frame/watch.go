package frame

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Seer looks at the frames at the near end of a link. It must not keep or change them, and is called by several goroutines at once.
type Seer func(frame []byte, way Way)

// Watch shows every frame that passes the near end from now on, as a capture at the part would: what goes up as it is sent, what goes
// down as it is delivered.
func (l *Link) Watch(see Seer) (stop func()) { return l.seers.add(see) }

// seers can be shown a frame without a lock.
type seers struct {
	mu  sync.Mutex
	all atomic.Pointer[[]*Seer]
}

func (s *seers) add(see Seer) (stop func()) {
	mine := &see
	s.change(func(all []*Seer) []*Seer { return append(all, mine) })
	return func() {
		s.change(func(all []*Seer) []*Seer { return slices.DeleteFunc(all, func(o *Seer) bool { return o == mine }) })
	}
}

func (s *seers) change(to func([]*Seer) []*Seer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Seer
	if now := s.all.Load(); now != nil {
		all = slices.Clone(*now)
	}
	if all = to(all); len(all) == 0 {
		s.all.Store(nil)
		return
	}
	s.all.Store(&all)
}

func (s *seers) show(frame []byte, way Way) {
	if all := s.all.Load(); all != nil {
		for _, see := range *all {
			(*see)(frame, way)
		}
	}
}
