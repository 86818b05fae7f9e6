package series

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Slice is what was collected in one interval. Slices of several meters can be added up.
type Slice struct {
	Counts Counts

	gauges  [gauges]int64
	timings [timings]*hdr.PackedHistogram // nil where nothing was timed
	errors  Classes
	answers Classes

	unanswered [timings]uint64
}

// Add adds another slice of the same interval, whose devices are others. The other is left as it is.
func (s *Slice) Add(o *Slice) {
	for g, n := range o.gauges {
		s.gauges[g] += n
	}
	s.addCounts(o)
}

// addCounts adds all but the gauges.
func (s *Slice) addCounts(o *Slice) {
	for c, n := range o.Counts {
		s.Counts[c] += n
	}
	for t, n := range o.unanswered {
		s.unanswered[t] += n
	}
	for t, h := range o.timings {
		s.timings[t] = merged(s.timings[t], h)
	}
	for name, n := range o.errors {
		s.errors.add(name, n)
	}
	for name, n := range o.answers {
		s.answers.add(name, n)
	}
}

// Gauge is how a gauge stood at the end of the interval.
func (s *Slice) Gauge(g Gauge) int { return int(s.gauges[g]) }

// Timed is how often a latency was noted.
func (s *Slice) Timed(t Timing) int {
	if s.timings[t] == nil {
		return 0
	}
	return int(s.timings[t].TotalCount())
}

// Quantile is the latency below which a share of the noted ones stay, such as 0.99; 0 where none was noted.
func (s *Slice) Quantile(t Timing, share float64) time.Duration {
	if s.timings[t] == nil {
		return 0
	}
	return time.Duration(s.timings[t].ValueAtPercentile(share*100)) * time.Microsecond
}

// Errors are the failures of the interval.
func (s *Slice) Errors() Classes { return s.errors }

// Answers are the other side's answers in the interval.
func (s *Slice) Answers() Classes { return s.answers }

// Counts holds every counter. As JSON it is an object of those that are not zero.
type Counts [counters]uint64

// MarshalJSON writes the counters by their names.
func (c Counts) MarshalJSON() ([]byte, error) { return byName(counterNames[:], c[:]) }

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Counts) UnmarshalJSON(text []byte) error {
	return intoNamed(counterNames[:], c[:], text, "counter")
}

// byName is an object of the numbers that are not zero.
func byName[N uint64 | int64](names []string, numbers []N) ([]byte, error) {
	object := map[string]N{}
	for i, n := range numbers {
		if n != 0 {
			object[names[i]] = n
		}
	}
	return json.Marshal(object)
}

// intoNamed reads such an object.
func intoNamed[N uint64 | int64](names []string, numbers []N, text []byte, what string) error {
	var object map[string]N
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	clear(numbers)
	for name, n := range object {
		i, err := named(names, []byte(name), what)
		if err != nil {
			return err
		}
		if n < 0 || uint64(n) > most {
			return fmt.Errorf("read a series: the %s %s is %d", what, name, n)
		}
		numbers[i] = n
	}
	return nil
}

// Classes counts by a short text: at most 64 of them and "other".
type Classes map[string]uint64

func (c *Classes) add(name string, n uint64) {
	if *c == nil {
		*c = Classes{}
	}
	if _, known := (*c)[name]; !known && len(*c) >= classes {
		name = other
	}
	(*c)[name] += n
}

// clip makes a text that may come from the other side fit for a name: short, one line, UTF-8.
func clip(s string) string {
	if len(s) > nameLimit {
		s = s[:nameLimit]
	}
	s = strings.ToValidUTF8(s, "")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
