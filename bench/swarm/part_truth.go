//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// latencyPart has the far end do nothing for 3 s in each 12 s, and compares the latency that is reported with that of the far end's log.
func latencyPart(r *run) error {
	for range min(r.runs, 3) {
		e, err := far("mqtt", 1, setup{FreezeFor: 3 * time.Second, FreezeEach: 12 * time.Second, Log: true})
		if err != nil {
			return err
		}
		record, seen, err := r.whole(amount{role: "mqtt", conns: 1000, rate: 1000, qos: 1, window: 20}, e, 36*time.Second)
		e.end()
		if err != nil {
			return err
		}
		reported, logged, still := record.Quantile(series.Ack, 0.95), seen.Late[1], standstill(seen.Freezes, 36*time.Second)
		r.row("p95 with a far end that freezes 3 s in 12 s", "within 5 % of its log",
			fmt.Sprintf("%.0f ms; its log %.0f ms (%+.1f %%), from its freezes alone %.0f ms", reported*1e3, logged*1e3, 100*(reported/logged-1), still*1e3),
			holds(reported > 0.95*logged && reported < 1.05*logged && len(seen.Freezes) > 0))
	}
	return nil
}

// standstill is the p95 that freezes make for messages that are due evenly: the rest take no time.
func standstill(freezes [][2]int64, length time.Duration) float64 {
	const every = 1000 // µs
	var late []int64
	for _, f := range freezes {
		for due := f[0]; due < f[1]; due += every {
			late = append(late, f[1]-due)
		}
	}
	slices.Sort(late)
	others := int(length.Microseconds()/every) - len(late)
	at := int(0.95*float64(len(late)+others)) - others
	if at < 0 {
		return 0
	}
	return float64(late[at]) / 1e6
}

// countsPart compares what is said to be sent with what the far end counted, and what is said to be lost with what a relay lost.
func countsPart(r *run) error {
	for _, c := range []struct {
		qos, rate int
		most      int64
	}{{0, 50_000, 10_000_000}, {1, 20_000, 1_000_000}} {
		e, err := far("mqtt", 1, setup{})
		if err != nil {
			return err
		}
		length := time.Duration(float64(c.most)/float64(c.rate)*1.02+2) * time.Second
		record, seen, err := r.whole(amount{role: "mqtt", conns: 1000, rate: c.rate, qos: c.qos, window: 1000}, e, length)
		e.end()
		if err != nil {
			return err
		}
		counts := record.Totals.Counts
		sent, acked := int64(counts[series.Sent]), int64(counts[series.Acked])
		v := holds(sent >= c.most && sent == seen.all() && seen.Again == 0 && seen.Bad == 0 && acked == seen.Acked)
		r.row(fmt.Sprintf("count of QoS %d", c.qos), fmt.Sprintf("sent = received, >= %d", c.most),
			fmt.Sprintf("sent %d, received %d, of these twice %d; acknowledged %d, of %d", sent, seen.all(), seen.Again, acked, seen.Acked), v)
	}
	for qos := range 2 {
		if err := r.lossy(qos); err != nil {
			return err
		}
	}
	return nil
}

// lossy plays a fleet through a relay that loses one message in a thousand on the way to mosquitto.
func (r *run) lossy(qos int) error {
	d, err := r.mosquitto()
	if err != nil {
		return err
	}
	defer d.stop()
	e, err := far("relay", 1, setup{Up: d.addr, Lose: 1000})
	if err != nil {
		return err
	}
	defer e.end()
	record, seen, err := r.whole(amount{role: "mqtt", conns: 500, rate: 2000, qos: qos, window: 1000, watch: true}, e, 30*time.Second)
	if err != nil {
		return err
	}
	m := record.Messages
	r.row(fmt.Sprintf("loss behind a relay, QoS %d", qos), "lost = dropped, >= 50", fmt.Sprintf("lost %d, dropped %d of %d; %d of them after PUBACK", m.Lost, seen.Lost, seen.all(), m.LostAcked),
		holds(int64(m.Lost) == seen.Lost && seen.Lost >= 50 && m.LostAcked == 0))
	return nil
}
