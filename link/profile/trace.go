package profile

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/link/frame"
)

// Bounds of a trace: its lines, and how long one of them may last.
const (
	maxTrace = 100_000
	maxStep  = 24 * time.Hour
)

// Trace reads what was recorded of a network, as a schedule that holds each line until the next one and the last for ever. A line has six
// numbers with commas between them: seconds since the beginning, one-way latency in ms, its deviation in ms, kbit/s up, kbit/s down (0:
// not limited) and loss in per cent. Lines that are empty or begin with # are passed over. A loss of 100 is silence; the link stays up.
func Trace(r io.Reader) (Schedule, error) {
	var s Schedule
	lines := bufio.NewScanner(r)
	last := 0.0
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		v, err := numbers(line)
		if err != nil {
			return Schedule{}, fmt.Errorf("read trace: line %d: %w", n, err)
		}
		at := v[0]
		switch {
		case len(s.Steps) == 0 && at != 0:
			return Schedule{}, fmt.Errorf("read trace: line %d: the first line is at %g s, not at 0", n, at)
		case len(s.Steps) > 0 && at < last+0.001:
			return Schedule{}, fmt.Errorf("read trace: line %d: %g s is not a millisecond after the line before", n, at)
		case at-last > maxStep.Seconds():
			return Schedule{}, fmt.Errorf("read trace: line %d: more than %s after the line before", n, maxStep)
		case len(s.Steps) >= maxTrace:
			return Schedule{}, fmt.Errorf("read trace: line %d: more than %d lines", n, maxTrace)
		}
		if len(s.Steps) > 0 {
			s.Steps[len(s.Steps)-1].For = time.Duration((at - last) * float64(time.Second))
		}
		last = at
		s.Steps = append(s.Steps, recorded(v))
	}
	if err := lines.Err(); err != nil {
		return Schedule{}, fmt.Errorf("read trace: %w", err)
	}
	if len(s.Steps) == 0 {
		return Schedule{}, fmt.Errorf("read trace: it has no line")
	}
	return s, nil
}

// numbers reads the six numbers of a line.
func numbers(line string) (v [6]float64, err error) {
	fields := strings.Split(line, ",")
	if len(fields) != len(v) {
		return v, fmt.Errorf("%d numbers instead of %d", len(fields), len(v))
	}
	most := [len(v)]float64{math.MaxInt32, 60_000, 60_000, 1e8, 1e8, 100}
	for i, f := range fields {
		if v[i], err = strconv.ParseFloat(strings.TrimSpace(f), 64); err != nil {
			return v, fmt.Errorf("%q is no number", strings.TrimSpace(f))
		}
		if !(v[i] >= 0 && v[i] <= most[i]) {
			return v, fmt.Errorf("number %d is %g, not from 0 to %g", i+1, v[i], most[i])
		}
	}
	return v, nil
}

func recorded(v [6]float64) Step {
	ms := func(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }
	both := frame.Conditions{Latency: frame.Latency{Delay: ms(v[1]), Jitter: ms(v[2])}, Loss: v[5] / 100}
	s := Step{Up: both, Down: both}
	s.Up.Rate.BitsPerSecond, s.Down.Rate.BitsPerSecond = v[3]*1000, v[4]*1000
	return s
}
