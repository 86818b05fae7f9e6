package load

import (
	"fmt"
	"math"
	"slices"

	"github.com/shakedown-test/shakedown/evidence"
)

const (
	narrow  = 1.2 // the upper end of the interval divided by the lower one, at which it is narrow enough
	repeats = 3   // of the load that held last, and of the one that broke first
)

// search looks for the number of devices up to which the limits hold.
type search struct {
	declared int
	times    int // at most, of the declared fleet; a power of two
	spare    int // plays that may be played again, since this machine could not keep its schedule

	// try plays so many devices. Late means that the outcome is not known since this machine could not keep its schedule.
	try func(devices int) (step evidence.LoadStep, late bool, err error)

	steps     []evidence.LoadStep
	low, high int // that held, and that broke; 0: none
	unknown   *evidence.LoadStep
}

// run tries half and all of the declared fleet, and doubles that until a limit breaks or it is not known whether one does; then what lies in
// between. Up to 64 times the fleet that is 14 plays at most, the spare ones, and as many as the fleet can be halved where half of it is too much.
func (s *search) run() error {
	if err := s.step(max(1, s.declared/2)); err != nil {
		return err
	}
	for k := 1; k <= s.times && s.high == 0 && s.unknown == nil; k *= 2 {
		if err := s.step(k * s.declared); err != nil {
			return err
		}
	}
	if s.high == 0 {
		return nil
	}
	for s.high > s.low+1 && float64(s.high) > narrow*float64(s.low) && s.unknown == nil {
		middle := int(math.Sqrt(float64(max(1, s.low)) * float64(s.high)))
		if s.low == 0 {
			middle = s.high / 2
		}
		if err := s.step(min(s.high-1, max(s.low+1, middle))); err != nil {
			return err
		}
	}
	if s.unknown != nil {
		return nil
	}
	for range repeats - 1 { // what broke or held once by chance widens the interval
		for _, n := range []int{s.low, s.high} {
			if n == 0 || s.unknown != nil {
				continue
			}
			if err := s.step(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// step tries one load. The error is that of the first one: what was found before another holds.
func (s *search) step(n int) error {
	step, late, err := s.try(n)
	for err == nil && late && s.spare > 0 { // it may have been busy with something else
		s.spare--
		s.steps = append(s.steps, step)
		step, late, err = s.try(n)
	}
	if err != nil && len(s.steps) == 0 {
		return err
	}
	if err != nil {
		step = evidence.LoadStep{Offered: float64(n), Outcome: evidence.LimitUnknown, Seen: err.Error()}
	}
	s.steps = append(s.steps, step)
	switch step.Outcome {
	case evidence.LimitHeld:
		if s.high == 0 || n < s.high { // where it broke before, it may break again
			s.low = max(s.low, n)
		}
	case evidence.LimitBroken:
		if s.high == 0 || n < s.high {
			s.high = n
		}
		if s.low >= n { // it had held before
			s.low = s.highestThatHeldBelow(n)
		}
	default:
		s.unknown = &step
	}
	return nil
}

func (s *search) highestThatHeldBelow(n int) (most int) {
	for _, o := range s.steps {
		if int(o.Offered) < n && o.Outcome == evidence.LimitHeld {
			most = max(most, int(o.Offered))
		}
	}
	return most
}

// capacity is what was found: between the highest load that always held and the highest that held at all, or the lowest that broke.
func (s *search) capacity() evidence.LoadCapacity {
	c := evidence.LoadCapacity{Unit: "devices", Knee: float64(s.low), Low: float64(s.low), High: float64(s.high), Steps: s.steps}
	switch {
	case s.unknown != nil:
		c.Note = fmt.Sprintf("it ended at %.0f devices, where it is not known whether the limits hold: %s", s.unknown.Offered, s.unknown.Seen)
	case s.high == 0:
		c.Note = fmt.Sprintf("that is %d times the declared fleet, and more was not tried", s.times)
	default:
		broke := slices.IndexFunc(s.steps, func(o evidence.LoadStep) bool { return int(o.Offered) == s.high && o.Outcome == evidence.LimitBroken })
		c.Note = fmt.Sprintf("halved between what held and what broke, and the ends tried %d times; at %d devices: %s", repeats, s.high, s.steps[broke].Seen)
	}
	return c
}
