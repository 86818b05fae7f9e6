package frame

import "slices"

// force holds what is in force of one sort; the latest counts. The zero value holds nothing. The way's mutex guards it.
type force[T any] struct {
	all []*slot[T]
}

// slot is a place in a force. While it is empty, what is below it counts.
type slot[T any] struct{ v *T }

// push puts v in force; what it returns takes it away.
func (f *force[T]) push(v T) (undo func()) { return f.put(&slot[T]{&v}) }

// put is push of a slot that its owner may change later, with the way's mutex held.
func (f *force[T]) put(mine *slot[T]) (undo func()) {
	f.all = append(f.all, mine)
	return func() { f.all = slices.DeleteFunc(f.all, func(s *slot[T]) bool { return s == mine }) }
}

// top is what counts; nil when nothing is in force.
func (f *force[T]) top() *T {
	for i := len(f.all) - 1; i >= 0; i-- {
		if v := f.all[i].v; v != nil {
			return v
		}
	}
	return nil
}
