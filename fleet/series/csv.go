package series

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
)

// CSV writes a line for each second, after one with the names of the columns: the gauges, the counters, for each timing that was seen its
// count and percentiles in seconds, and a column for each class of error and each answer of the other side. A latency of which there was
// none in a second is left empty.
func (r *Record) CSV(to io.Writer) error {
	head := []string{"second", "connected", "devices", "outstanding", "shares"}
	head = append(head, counterNames[:]...)
	for _, l := range r.Totals.Latencies {
		for _, column := range []string{"count", "mean_s", "p50_s", "p90_s", "p99_s", "p999_s", "max_s"} {
			head = append(head, l.Timing.String()+"_"+column)
		}
	}
	errors, answers := slices.Sorted(maps.Keys(r.Totals.Errors)), slices.Sorted(maps.Keys(r.Totals.Answers))
	for _, class := range errors {
		head = append(head, "error: "+class)
	}
	for _, answer := range answers {
		head = append(head, "answer: "+answer)
	}
	w := csv.NewWriter(to)
	if err := w.Write(head); err != nil {
		return fmt.Errorf("write the series: %w", err)
	}
	for _, p := range r.Points {
		if err := w.Write(r.row(p, errors, answers)); err != nil {
			return fmt.Errorf("write the series: %w", err)
		}
	}
	w.Flush()
	return w.Error()
}

// row is the line of a second.
func (r *Record) row(p Point, errors, answers []string) []string {
	var row []string
	for _, n := range []int{p.Second, p.Connected, p.Devices, p.Outstanding, p.Shares} {
		row = append(row, strconv.Itoa(n))
	}
	for _, n := range p.Counts {
		row = append(row, strconv.FormatUint(n, 10))
	}
	for _, total := range r.Totals.Latencies {
		i := slices.IndexFunc(p.Latencies, func(l Latency) bool { return l.Timing == total.Timing })
		if i < 0 {
			row = append(row, "0", "", "", "", "", "", "")
			continue
		}
		l := p.Latencies[i]
		row = append(row, strconv.FormatUint(l.Count, 10))
		for _, v := range []float64{l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max} {
			row = append(row, strconv.FormatFloat(v, 'f', 6, 64))
		}
	}
	for _, class := range errors {
		row = append(row, strconv.FormatUint(p.Errors[class], 10))
	}
	for _, answer := range answers {
		row = append(row, strconv.FormatUint(p.Answers[answer], 10))
	}
	return row
}
