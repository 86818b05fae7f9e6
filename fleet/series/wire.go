package series

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

const (
	longest = int64(3_600_000_000) // microseconds that a histogram can hold
	digits  = 3                    // that it keeps
	most    = uint64(1) << 48      // no counter of another process is believed above it: sums stay far from their end

	sliceLimit = 1 << 20 // bytes of a slice on its way
	buckets    = 24 << 10
)

// wireSlice is a slice on its way from one process to another.
type wireSlice struct {
	Counts  Counts            `json:"counts"`
	Gauges  json.RawMessage   `json:"gauges,omitempty"`
	Timings map[Timing]string `json:"timings,omitempty"` // HdrHistogram V2, compressed, in base64; microseconds
	Waiting json.RawMessage   `json:"unanswered,omitempty"`
	Errors  Classes           `json:"errors,omitempty"`
	Answers Classes           `json:"answers,omitempty"`
}

// MarshalJSON writes a slice in some hundred bytes and about three for each different latency.
func (s *Slice) MarshalJSON() ([]byte, error) {
	w := wireSlice{Counts: s.Counts, Errors: s.errors, Answers: s.answers}
	var err error
	if w.Gauges, err = byName(gaugeNames[:], s.gauges[:]); err != nil {
		return nil, err
	}
	if w.Waiting, err = byName(timingNames[:], s.unanswered[:]); err != nil {
		return nil, err
	}
	if w.Timings, err = encoded(&s.timings); err != nil {
		return nil, err
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads a slice of another process, of at most 1 MiB.
func (s *Slice) UnmarshalJSON(text []byte) error {
	if len(text) > sliceLimit {
		return fmt.Errorf("read a slice of a series: it has %d bytes, more than %d", len(text), sliceLimit)
	}
	var w wireSlice
	if err := json.Unmarshal(text, &w); err != nil {
		return fmt.Errorf("read a slice of a series: %w", err)
	}
	n := Slice{Counts: w.Counts}
	if w.Gauges != nil {
		if err := intoNamed(gaugeNames[:], n.gauges[:], w.Gauges, "gauge"); err != nil {
			return err
		}
	}
	if w.Waiting != nil {
		if err := intoNamed(timingNames[:], n.unanswered[:], w.Waiting, "timing"); err != nil {
			return err
		}
	}
	for from, into := range map[*Classes]*Classes{&w.Errors: &n.errors, &w.Answers: &n.answers} {
		for name, count := range *from {
			into.add(clip(name), min(count, most))
		}
	}
	if err := decoded(&n.timings, w.Timings); err != nil {
		return err
	}
	*s = n
	return nil
}

// encoded are the histograms that hold anything, as text.
func encoded(from *[timings]*hdr.PackedHistogram) (map[Timing]string, error) {
	out := map[Timing]string{}
	for t, h := range from {
		if h == nil {
			continue
		}
		text, err := h.Encode()
		if err != nil {
			return nil, fmt.Errorf("write the histogram of %s: %w", Timing(t), err)
		}
		out[Timing(t)] = string(text)
	}
	return out, nil
}

// decoded reads what encoded writes.
func decoded(into *[timings]*hdr.PackedHistogram, from map[Timing]string) error {
	for t, text := range from {
		if err := checkHistogram(text); err != nil {
			return fmt.Errorf("read the histogram of %s: %w", t, err)
		}
		h, err := hdr.DecodePacked([]byte(text))
		if err != nil {
			return fmt.Errorf("read the histogram of %s: %w", t, err)
		}
		if uint64(h.TotalCount()) > most {
			return fmt.Errorf("read the histogram of %s: it has %d entries", t, h.TotalCount())
		}
		if h.TotalCount() > 0 {
			into[t] = h
		}
	}
	return nil
}

// checkHistogram looks at the head of an encoded histogram, so that one of another shape cannot make the decoder take memory.
func checkHistogram(text string) error {
	const outer, inner = 8, 40
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	if len(raw) < outer {
		return errors.New("it is cut off")
	}
	z, err := zlib.NewReader(bytes.NewReader(raw[outer:]))
	if err != nil {
		return err
	}
	defer func() { _ = z.Close() }()
	var head [inner]byte
	if _, err := io.ReadFull(z, head[:]); err != nil {
		return err
	}
	length, kept := binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[12:])
	low, high := binary.BigEndian.Uint64(head[16:]), binary.BigEndian.Uint64(head[24:])
	if kept != digits || low != 1 || high != uint64(longest) || length > buckets*9 {
		return fmt.Errorf("it has %d digits from %d to %d µs in %d bytes, not %d digits from 1 to %d µs", kept, low, high, length, digits, longest)
	}
	return nil
}

// merged adds a histogram to another, either of which may be nil; what is added is left as it is.
func merged(to, from *hdr.PackedHistogram) *hdr.PackedHistogram {
	switch {
	case from == nil:
		return to
	case to == nil:
		return from.Clone()
	}
	to.Merge(from)
	return to
}
