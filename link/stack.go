package link

import (
	"slices"
	"sync"
)

// Stack keeps the settings of one sort that are in force. The latest counts; each is taken away by its own undo, in any order. The
// zero value is empty and ready. It is safe for concurrent use.
type Stack[T any] struct {
	mu  sync.Mutex
	all []*T
}

// Push puts v on top and returns what takes it away again; calling that twice does no harm.
func (s *Stack[T]) Push(v T) (undo func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := &v
	s.all = append(s.all, mine)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.all = slices.DeleteFunc(s.all, func(p *T) bool { return p == mine })
	}
}

// Top is the latest setting in force, and whether there is one.
func (s *Stack[T]) Top() (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return v, false
	}
	return *s.all[len(s.all)-1], true
}

// Find is the latest setting in force for which match holds, and whether there is one.
func (s *Stack[T]) Find(match func(T) bool) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range slices.Backward(s.all) {
		if match(*p) {
			return *p, true
		}
	}
	return v, false
}
