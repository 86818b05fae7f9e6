package series

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shakedown-test/shakedown/fleet/count"
)

// SchemaID names the shape of a Record as JSON; a change that breaks readers gets a new number.
const SchemaID = "https://github.com/shakedown-test/shakedown/docs/fleet-series.schema.json#1"

// Record is what a fleet measured from beginning to end. All times in it are in seconds.
type Record struct {
	Schema   string        `json:"schema" jsonschema:"always the id of this schema"`
	Start    time.Time     `json:"start" jsonschema:"when second 0 began"`
	Seconds  int           `json:"seconds" jsonschema:"how long it ran, without the time in which the last messages could still arrive"`
	Stopped  bool          `json:"stopped,omitempty" jsonschema:"whether it was ended before its time"`
	Shares   int           `json:"shares" jsonschema:"loops, processes or machines that measured"`
	Points   []Point       `json:"points" jsonschema:"one for each second of which something is known"`
	Totals   Totals        `json:"totals" jsonschema:"of the whole run, with what arrived after its end"`
	Messages *count.Totals `json:"messages,omitempty" jsonschema:"the account of every single message; missing where none was numbered"`
	Outages  []Outage      `json:"outages,omitempty" jsonschema:"each time that the fleet, or much of it, lost its connections"`
	Own      Own           `json:"own" jsonschema:"the generator about itself"`
	Cost     *Cost         `json:"cost,omitempty" jsonschema:"what a device and a message cost the generator"`
	Notes    []string      `json:"notes,omitempty" jsonschema:"what else a reader must know, such as a lost machine"`

	// Histograms are the latencies of the whole run, for percentiles that are not in Totals.
	Histograms map[Timing]string `json:"histograms,omitempty" jsonschema:"by timing: HdrHistogram V2, compressed, in base64; microseconds"`

	timings [timings]*hdr.PackedHistogram
}

// Point is what one second brought.
type Point struct {
	Second      int       `json:"second" jsonschema:"from the start"`
	Connected   int       `json:"connected" jsonschema:"devices with an accepted session at its end"`
	Devices     int       `json:"devices" jsonschema:"devices that were meant to have one"`
	Outstanding int       `json:"outstanding" jsonschema:"messages and commands that waited for their answer: their latencies are in the second in which it came"`
	Held        int       `json:"held_bytes,omitempty" jsonschema:"memory that the generator has taken since it prepared its devices, for progress; what a device cost in the end stands under cost"`
	Shares      int       `json:"shares" jsonschema:"that reported this second"`
	Counts      Counts    `json:"counts"`
	Latencies   []Latency `json:"latencies,omitempty"`
	Errors      Classes   `json:"errors,omitempty"`
	Answers     Classes   `json:"answers,omitempty"`
	Partly      bool      `json:"partly,omitempty" jsonschema:"a share reported so late that its latencies are in the totals alone"`
}

// Latency is how long one kind of thing took.
type Latency struct {
	Timing     Timing  `json:"timing"`
	Count      uint64  `json:"count"`
	Unanswered uint64  `json:"unanswered,omitempty" jsonschema:"of these, those that ended without an answer: they count as long as they were waited for, and truly took longer"`
	Mean       float64 `json:"mean"`
	P50        float64 `json:"p50"`
	P90        float64 `json:"p90"`
	P99        float64 `json:"p99"`
	P999       float64 `json:"p999"`
	Max        float64 `json:"max"`
}

// Totals is the sum of a run.
type Totals struct {
	Counts    Counts    `json:"counts"`
	Latencies []Latency `json:"latencies,omitempty"`
	Errors    Classes   `json:"errors,omitempty"`
	Answers   Classes   `json:"answers,omitempty"`
}

// Outage is one loss of connections, and the return.
type Outage struct {
	Second  int     `json:"second" jsonschema:"from the start, when it began"`
	Devices int     `json:"devices" jsonschema:"that lost their connection"`
	Away    int     `json:"away" jsonschema:"of these, those that were not back at the end"`
	Back    float64 `json:"back" jsonschema:"seconds until the last of those that came back was back"`
	Cause   string  `json:"cause" jsonschema:"who ended the connections, and how"`
}

// Own is what the generator knows of its own behaviour.
type Own struct {
	CPU     float64 `json:"cpu_seconds"`
	Cores   int     `json:"cores" jsonschema:"that it could use"`
	LagP99  float64 `json:"lag_p99" jsonschema:"how late it did what was due"`
	LagMax  float64 `json:"lag_max"`
	Kept    bool    `json:"kept" jsonschema:"whether it kept its schedule"`
	Invalid string  `json:"invalid,omitempty" jsonschema:"why no latency of this run may be believed"`
	OneWay  string  `json:"one_way,omitempty" jsonschema:"why delivery and command may not be believed, as they compare the clocks of two machines"`
}

// Cost is what the fleet took of the machine that played it.
type Cost struct {
	Devices   int     `json:"devices"`
	PerDevice float64 `json:"bytes_per_device" jsonschema:"memory"`
	Base      float64 `json:"base_bytes" jsonschema:"memory that does not depend on the devices"`
	Messages  uint64  `json:"messages"`
	CPU       float64 `json:"cpu_per_message" jsonschema:"seconds, all that the run took divided by the messages sent and received"`
}

// Latency is that of the whole run for a timing, and whether any was noted.
func (r *Record) Latency(t Timing) (Latency, bool) {
	for _, l := range r.Totals.Latencies {
		if l.Timing == t {
			return l, true
		}
	}
	return Latency{}, false
}

// Quantile is the latency in seconds below which a share of those of the whole run stay, such as 0.95; 0 where none was noted.
func (r *Record) Quantile(t Timing, share float64) float64 {
	if r.timings[t] == nil {
		return 0
	}
	return seconds(r.timings[t].ValueAtPercentile(share * 100))
}

// JSON writes the record; see SchemaID.
func (r *Record) JSON(w io.Writer) error {
	out := *r
	out.Schema = SchemaID
	var err error
	if out.Histograms, err = encoded(&r.timings); err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

// Read reads what JSON writes, up to 1 GiB of it.
func Read(from io.Reader) (*Record, error) {
	const limit = 1 << 30
	var r Record
	if err := json.NewDecoder(io.LimitReader(from, limit)).Decode(&r); err != nil {
		return nil, fmt.Errorf("read a record of a fleet: %w", err)
	}
	if r.Schema != SchemaID {
		return nil, fmt.Errorf("read a record of a fleet: its schema is %q, not %q", r.Schema, SchemaID)
	}
	if err := decoded(&r.timings, r.Histograms); err != nil {
		return nil, err
	}
	return &r, nil
}

// latencies sums up histograms.
func latencies(from *[timings]*hdr.PackedHistogram, unanswered *[timings]uint64) []Latency {
	var out []Latency
	for t, h := range from {
		if h == nil || h.TotalCount() == 0 {
			continue
		}
		q := h.ValueAtPercentilesSlice([]float64{50, 90, 99, 99.9, 100})
		out = append(out, Latency{
			Timing: Timing(t), Count: uint64(h.TotalCount()), Unanswered: unanswered[t], Mean: h.Mean() / 1e6,
			P50: seconds(q[0]), P90: seconds(q[1]), P99: seconds(q[2]), P999: seconds(q[3]), Max: seconds(q[4]),
		})
	}
	return out
}

// seconds are those of a number of microseconds.
func seconds(micros int64) float64 { return float64(micros) / 1e6 }
