package fleet

// timers says which of a fixed number of timers is due next, to the nanosecond. It is a heap with four children to a node: with 15,000
// timers a change touches seven nodes, and nothing is allocated. A wheel would cost less for each change and round to its ticks; a change
// is a few hundredths of what a system call costs.
type timers struct {
	heap []timer
	at   []int32 // of each timer, its place in the heap plus 1; 0: it is not set
}

type timer struct {
	due int64
	id  int32
}

func newTimers(n int) *timers { return &timers{at: make([]int32, n)} }

// next is the time of the first timer, and whether there is one.
func (t *timers) next() (due int64, ok bool) {
	if len(t.heap) == 0 {
		return 0, false
	}
	return t.heap[0].due, true
}

// pop takes the first timer away if it is due at now.
func (t *timers) pop(now int64) (id int32, due int64, ok bool) {
	if len(t.heap) == 0 || t.heap[0].due > now {
		return 0, 0, false
	}
	first := t.heap[0]
	t.stop(first.id)
	return first.id, first.due, true
}

// set sets a timer, or sets it anew.
func (t *timers) set(id int32, due int64) {
	place := t.at[id] - 1
	if place < 0 {
		t.heap = append(t.heap, timer{due, id})
		t.up(int32(len(t.heap) - 1))
		return
	}
	before := t.heap[place].due
	t.heap[place].due = due
	if due < before {
		t.up(place)
	} else {
		t.down(place)
	}
}

// due is when a timer is due; 0: it is not set.
func (t *timers) due(id int32) int64 {
	if place := t.at[id] - 1; place >= 0 {
		return t.heap[place].due
	}
	return 0
}

// by sets a timer that is not set, or set to a later time.
func (t *timers) by(id int32, due int64) {
	if place := t.at[id] - 1; place < 0 || t.heap[place].due > due {
		t.set(id, due)
	}
}

// stop makes a timer one that is not set.
func (t *timers) stop(id int32) {
	place := t.at[id] - 1
	if place < 0 {
		return
	}
	t.at[id] = 0
	last := int32(len(t.heap) - 1)
	moved := t.heap[last]
	t.heap = t.heap[:last]
	if place == last {
		return
	}
	t.put(place, moved)
	t.down(place)
	t.up(t.at[moved.id] - 1)
}

func (t *timers) put(place int32, x timer) {
	t.heap[place] = x
	t.at[x.id] = place + 1
}

func (t *timers) up(place int32) {
	x := t.heap[place]
	for place > 0 {
		parent := (place - 1) / 4
		if t.heap[parent].due <= x.due {
			break
		}
		t.put(place, t.heap[parent])
		place = parent
	}
	t.put(place, x)
}

func (t *timers) down(place int32) {
	x := t.heap[place]
	for {
		least := int32(-1)
		for child := 4*place + 1; child <= 4*place+4 && child < int32(len(t.heap)); child++ {
			if least < 0 || t.heap[child].due < t.heap[least].due {
				least = child
			}
		}
		if least < 0 || t.heap[least].due >= x.due {
			break
		}
		t.put(place, t.heap[least])
		place = least
	}
	t.put(place, x)
}
