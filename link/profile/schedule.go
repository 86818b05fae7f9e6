package profile

import (
	"context"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Schedule is an impairment over time, in steps. All times are device time.
type Schedule struct {
	Steps []Step
	Loop  bool // begins again after the last step; else that one stays
}

// Step is a time in which a link is in a certain state.
type Step struct {
	What     string        // told in the log when it begins; empty: not told
	For      time.Duration // how long; of the last step without Loop it does not matter
	Ramp     bool          // it is reached evenly from the step before, by the end of the step; else at once
	Up, Down frame.Conditions
	Off      bool // the link is down
}

// grain is how often a ramp changes, in wall time: finer is not felt, and costs.
const grain = 20 * time.Millisecond

// Apply puts the schedule in force on a link, as one impairment that is called what. It begins with the first step and goes on until undo,
// or until the link is closed.
func (s Schedule) Apply(l *frame.Link, clk *clock.Clock, what string) (undo func()) {
	c := l.Course(what)
	if len(s.Steps) == 0 {
		return c.End
	}
	begun := clk.Passed()
	s.enter(c, 0) // before it returns, so that a caller can rely on it
	c.Steer(func(ctx context.Context) { s.steer(ctx, c, clk, begun) })
	return c.End
}

// steer goes from step to step. Each begins when the one before should have ended, so that lateness does not add up.
func (s Schedule) steer(ctx context.Context, c *frame.Course, clk *clock.Clock, begun time.Duration) {
	before := s.Steps[0]
	for i := 0; ; {
		step := s.Steps[i]
		over := begun + max(step.For, clk.Device(time.Millisecond))
		for step.Ramp {
			part := float64(clk.Passed()-begun) / float64(over-begun)
			if part >= 1 {
				break
			}
			c.Set(between(before.Up, step.Up, part), between(before.Down, step.Down, part))
			if clk.Sleep(ctx, min(clk.Device(grain), over-clk.Passed())) != nil {
				return
			}
		}
		c.Set(step.Up, step.Down)
		if i == len(s.Steps)-1 && !s.Loop {
			return
		}
		if clk.Sleep(ctx, over-clk.Passed()) != nil {
			return
		}
		before, begun = step, over
		i = (i + 1) % len(s.Steps)
		s.enter(c, i)
	}
}

// enter begins a step.
func (s Schedule) enter(c *frame.Course, i int) {
	step := s.Steps[i]
	if step.What != "" {
		c.Tell(step.What)
	}
	c.Outage(step.Off)
	if !step.Ramp {
		c.Set(step.Up, step.Down)
	}
}

// between is what is part of the way from one state to another. A limit that one of them does not have is that of the other.
func between(from, to frame.Conditions, part float64) frame.Conditions {
	mix := func(a, b float64) float64 { return a + (b-a)*part }
	span := func(a, b time.Duration) time.Duration { return time.Duration(mix(float64(a), float64(b))) }
	v := to
	v.Latency.Delay = span(from.Latency.Delay, to.Latency.Delay)
	v.Latency.Jitter = span(from.Latency.Jitter, to.Latency.Jitter)
	if from.Rate.BitsPerSecond > 0 && to.Rate.BitsPerSecond > 0 {
		v.Rate.BitsPerSecond = mix(from.Rate.BitsPerSecond, to.Rate.BitsPerSecond)
	}
	v.Loss = mix(from.Loss, to.Loss)
	v.Duplicate = mix(from.Duplicate, to.Duplicate)
	v.Corrupt = mix(from.Corrupt, to.Corrupt)
	v.Reorder = mix(from.Reorder, to.Reorder)
	v.Bursts = frame.GilbertElliott{
		Worsen: mix(from.Bursts.Worsen, to.Bursts.Worsen), Recover: mix(from.Bursts.Recover, to.Bursts.Recover),
		Good: mix(from.Bursts.Good, to.Bursts.Good), Bad: mix(from.Bursts.Bad, to.Bursts.Bad),
	}
	return v
}
