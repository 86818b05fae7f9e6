//go:build linux

package main

import (
	"fmt"
	"math"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// limitsPart drives the generator beyond what it can do, which it must say, looks for the most at which it keeps its schedule by its own
// account, and holds it to that at half of either.
func limitsPart(r *run) error {
	const much = 600_000
	record, sent, err := r.paced(much)
	if err != nil {
		return err
	}
	r.row("overdriven: it marks its latencies invalid", "says so", fmt.Sprintf("%.0f/s of %d/s; %q", sent, much, record.Own.Invalid), holds(record.Own.Invalid != "" && !record.Own.Kept))
	capacity := sent
	for !record.Own.Kept {
		if capacity *= 0.85; capacity < 10_000 {
			return fmt.Errorf("it does not keep its schedule at %.0f/s: %s", capacity, record.Own.Invalid)
		}
		if record, _, err = r.paced(int(capacity)); err != nil {
			return err
		}
	}
	for range min(3, r.runs) {
		if err := r.lateAt(int(sent/2), "half of what goes through when it is overdriven"); err != nil {
			return err
		}
		if err := r.lateAt(int(capacity/2), "half of the most at which it keeps its schedule"); err != nil {
			return err
		}
	}
	return nil
}

// lateAt measures how late sends are at a rate, and how late those of a floor are.
func (r *run) lateAt(rate int, what string) error {
	record, _, err := r.paced(rate)
	if err != nil {
		return err
	}
	lag := record.Quantile(series.Lag, 0.99)
	beside, err := floorLate(pacedDevices, rate, pacedFor)
	if err != nil {
		return err
	}
	r.row(fmt.Sprintf("send-time error at %d/s, %s", rate, what), "p99 < 2 ms",
		fmt.Sprintf("%.2f ms (p50 %.2f ms); a floor that wakes each ms, on the same machine: %.2f ms", lag*1e3, record.Quantile(series.Lag, 0.5)*1e3, beside*1e3), holds(lag < 0.002 && lag > 0))
	return nil
}

// What limitsPart plays.
const (
	pacedDevices = 1000
	pacedFor     = 15 * time.Second
)

// paced plays a fleet at a rate, and gives its record and what arrived a second.
func (r *run) paced(rate int) (*series.Record, float64, error) {
	e, err := far("mqtt", 1, setup{})
	if err != nil {
		return nil, 0, err
	}
	defer e.end()
	record, seen, err := r.whole(amount{role: "mqtt", conns: pacedDevices, rate: rate}, e, pacedFor)
	if err != nil {
		return nil, 0, err
	}
	return record, float64(seen.all()) / pacedFor.Seconds(), nil
}

// floorLate is the p99 of the floor's own lateness.
func floorLate(conns, rate int, length time.Duration) (float64, error) {
	e, err := far("mqtt", 1, setup{})
	if err != nil {
		return 0, err
	}
	defer e.end()
	c, f, err := begin("publishing", setup{To: e.addr, Conns: conns, Rate: rate, For: length})
	if err != nil {
		return 0, err
	}
	c.end()
	return f.Late[2], nil
}

// lengthPart watches the memory of 5,000 devices for half an hour, once the newest seconds of the record, which are kept unpacked, are full.
// The pages of the program's own file are told beside: those that were given back after the start return as they are used.
func lengthPart(r *run) error {
	if !r.long {
		r.row("memory over 30 minutes at 5,000 devices", "slope 0", "only with -long", absent)
		return nil
	}
	e, err := far("mqtt", 1, setup{})
	if err != nil {
		return err
	}
	defer e.end()
	const devices, warm, length = 5000, 5 * time.Minute, 30 * time.Minute
	c, err := ours(r.dir, amount{role: "mqtt", conns: devices, rate: 500}, e, warm+length+time.Minute)
	if err != nil {
		return err
	}
	stop, err := launch(c)
	if err != nil {
		return err
	}
	defer stop()
	time.Sleep(warm)
	var hours, anonymous, file []float64
	for start := time.Now(); time.Since(start) < length; time.Sleep(10 * time.Second) {
		m, err := held(c.Process.Pid)
		if err != nil {
			return err
		}
		hours, anonymous, file = append(hours, time.Since(start).Hours()), append(anonymous, m.anonymous), append(file, m.rss-m.anonymous)
	}
	slope, margin := line(hours, anonymous)
	r.row("memory over 30 minutes at 5,000 devices", "slope 0", fmt.Sprintf("%+.0f kB an hour, 95 %% interval ± %.0f kB, of %.1f MB; pages of files %.1f to %.1f MB",
		slope/1e3, margin/1e3, anonymous[0]/1e6, file[0]/1e6, file[len(file)-1]/1e6), holds(slope <= margin))
	return nil
}

// line is the slope of the straight line through points, and how far off it may be, at 95 %. Points that follow each other are alike (the
// memory of a process is, between two collections), so they count as fewer: n (1-r)/(1+r) for a correlation r of neighbours, as trends of
// temperatures are judged (Santer et al., J. Geophys. Res. 105, 2000, equations 2 to 6).
func line(x, y []float64) (slope, margin float64) {
	n, mx, my := float64(len(x)), 0.0, 0.0
	for i := range x {
		mx += x[i] / n
		my += y[i] / n
	}
	sxx, sxy := 0.0, 0.0
	for i := range x {
		sxx += (x[i] - mx) * (x[i] - mx)
		sxy += (x[i] - mx) * (y[i] - my)
	}
	slope = sxy / sxx
	rest, alike, before := 0.0, 0.0, 0.0
	for i := range x {
		d := y[i] - my - slope*(x[i]-mx)
		rest += d * d
		alike += d * before
		before = d
	}
	if rest == 0 {
		return slope, 0
	}
	r := max(0, alike/rest)
	count := max(3, n*(1-r)/(1+r))
	return slope, 1.96 * math.Sqrt(rest/(count-2)/sxx)
}
