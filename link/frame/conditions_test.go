package frame

import (
	"context"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
)

// What is put in force after a course has begun counts, whatever the course does; what was in force before counts where the course does
// not say anything.
func TestCourseIsOneImpairment(t *testing.T) {
	e := open(t, 1)
	passes := func() bool {
		before := len(e.got(Up))
		e.SendUp(numbered(1, 64))
		return len(e.got(Up)) > before
	}
	below := e.Loss(Up, 1)
	c := e.Course("a course")
	if passes() {
		t.Error("a course without conditions hides what was before")
	}
	below()
	c.Set(Conditions{Loss: 1}, Conditions{})
	if passes() {
		t.Error("the course is not in force")
	}
	above := e.Loss(Up, 0)
	c.Set(Conditions{Loss: 1, Duplicate: 1}, Conditions{})
	if !passes() {
		t.Error("a change of the course counts more than what came after it")
	}
	above()
	c.Outage(true)
	c.Outage(true)
	if passes() {
		t.Error("the link is not down")
	}
	c.End()
	c.Set(Conditions{Loss: 1}, Conditions{Loss: 1})
	c.Outage(true)
	if !passes() {
		t.Error("the course goes on after its end")
	}
	for _, ev := range e.log.Since(0) {
		if ev.Part != "access" || ev.Kind != evidence.Impair && ev.Kind != evidence.Heal {
			t.Errorf("event %+v", ev)
		}
	}
}

func TestSteer(t *testing.T) {
	for _, end := range []func(*ends, *Course){func(_ *ends, c *Course) { c.End() }, func(e *ends, _ *Course) { e.Close() }} {
		e := open(t, 1)
		c := e.Course("steered")
		ended := false
		c.Steer(func(ctx context.Context) {
			c.Tell("begins")
			c.Set(Conditions{Latency: Latency{Delay: time.Hour}}, Conditions{})
			<-ctx.Done()
			ended = true
		})
		end(e, c)
		if !ended {
			t.Error("who steers is not waited for")
		}
		c.End()
		e.Close()
		c.Steer(func(context.Context) { t.Error("a closed link is steered") })
	}
}
