package fleet

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// course is what a shape does over a run.
type course struct {
	shape  string
	length time.Duration
	joined time.Duration // when the last device has begun to connect
}

// newCourse is the course of a run of n devices. The error says what does not fit.
func newCourse(shape string, length time.Duration, n int, rate float64) (*course, error) {
	c := &course{shape: shape, length: length, joined: time.Duration(float64(n) / rate * float64(time.Second))}
	switch shape {
	case "ramp":
		c.joined = length * 4 / 5
	case "provisioning-storm":
		c.joined = min(time.Second, length/4)
	case "steady", "reconnect-storm", "morning-spike", "firmware-day", "flap":
	default:
		return nil, fmt.Errorf("shape %q is not known", shape)
	}
	if room := length / 2; shape != "ramp" && c.joined > room {
		return nil, fmt.Errorf("%d devices at %.0f a second join in %s, more than half of the run of %s\nhint: raise --for or the connect rate", n, rate, c.joined.Round(time.Second), length)
	}
	return c, nil
}

// joins is when device i of n connects first.
func (c *course) joins(i, n int) time.Duration {
	return time.Duration(float64(c.joined) * float64(i) / float64(max(1, n)))
}

// cut is when all connections are cut, or 0.
func (c *course) cut() time.Duration {
	if c.shape == "reconnect-storm" {
		return c.length / 2
	}
	return 0
}

// update is when the device begins its update, or 0.
func (c *course) update(r *rand.Rand) time.Duration {
	if c.shape == "firmware-day" {
		return c.length/2 + time.Duration(r.Int64N(int64(min(10*time.Second, c.length/4))))
	}
	return 0
}

// rate is the factor on all rates of messages from a time on, and until when it stays so.
func (c *course) rate(at time.Duration) (factor float64, until time.Duration) {
	from, to := c.length/3, c.length/3+min(time.Minute, c.length/3)
	switch {
	case c.shape != "morning-spike" || at >= to:
		return 1, forever
	case at < from:
		return 1, from
	}
	return c.peak(), to
}

// peak is the highest factor that rate gives.
func (c *course) peak() float64 {
	if c.shape == "morning-spike" {
		return 10
	}
	return 1
}

// forever is later than any end.
const forever = time.Duration(1) << 62

// up is how long a connection lasts before it is cut, or 0: until the end.
func (c *course) up(r *rand.Rand) time.Duration {
	if c.shape == "flap" {
		return 5*time.Second + time.Duration(r.Int64N(int64(10*time.Second)))
	}
	return 0
}
