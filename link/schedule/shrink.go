package schedule

import (
	"context"
	"slices"
	"time"
)

// Shrink looks for a smaller schedule of which fails still holds: fewer faults first, then shorter ones, then milder ones, then earlier
// ones. It asks at most budget times. It returns the smallest that failed, and how often it asked. An error of fails ends it, and what
// was found so far is returned with it.
func Shrink(ctx context.Context, s Schedule, budget int, fails func(context.Context, Schedule) (bool, error)) (Schedule, int, error) {
	k := &shrinker{ctx: ctx, best: slices.Clone(s), left: budget, fails: fails}
	k.fewer()
	for _, easier := range []func(Step) (Step, bool){shorter, milder} {
		for i := range k.best {
			for k.left > 0 && k.err == nil {
				step, ok := easier(k.best[i])
				if !ok || !k.try(replaced(k.best, i, step)) {
					break
				}
			}
		}
	}
	if first := k.first(); first > 0 {
		sooner := slices.Clone(k.best)
		for i := range sooner {
			sooner[i].At -= first
		}
		k.try(sooner)
	}
	return k.best, budget - k.left, k.err
}

type shrinker struct {
	ctx   context.Context
	best  Schedule
	left  int
	fails func(context.Context, Schedule) (bool, error)
	err   error
}

// try asks whether a schedule still fails, and keeps it then.
func (k *shrinker) try(s Schedule) bool {
	if k.left <= 0 || k.err != nil {
		return false
	}
	k.left--
	failed, err := k.fails(k.ctx, s)
	if err != nil {
		k.err = err
		return false
	}
	if failed {
		k.best = s
	}
	return failed
}

// fewer leaves faults out, first many at once, then one by one (delta debugging, Zeller and Hildebrandt 2002).
func (k *shrinker) fewer() {
	for size := (len(k.best) + 1) / 2; size > 0; size /= 2 {
		for at := 0; at < len(k.best) && len(k.best) > 1; {
			without := slices.Delete(slices.Clone(k.best), at, min(at+size, len(k.best)))
			if len(without) == 0 || !k.try(without) {
				at += size
			}
			if k.left <= 0 || k.err != nil {
				return
			}
		}
	}
}

// first is when the first fault begins.
func (k *shrinker) first() time.Duration {
	first := k.best.Lasts()
	for _, s := range k.best {
		first = min(first, s.At)
	}
	return first
}

func replaced(s Schedule, i int, step Step) Schedule {
	s = slices.Clone(s)
	s[i] = step
	return s
}

// shorter halves how long a fault lasts, down to a second.
func shorter(s Step) (Step, bool) {
	if s.For <= time.Second {
		return s, false
	}
	s.For = max(time.Second, (s.For / 2).Round(time.Second))
	return s, true
}

// milder halves how bad a fault is, down to its mildest.
func milder(s Step) (Step, bool) {
	t := known[s.Kind]
	if t.unit == "" {
		return s, false
	}
	was := s.Amount
	if t.severe < t.mild { // of a rate the larger one is the milder
		s.Amount = min(t.mild, rounded(s.Amount*2))
	} else {
		s.Amount = max(t.mild, rounded(s.Amount/2))
	}
	return s, s.Amount != was
}
