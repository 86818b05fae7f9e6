//go:build linux

package main

import (
	"fmt"
	"time"
)

// sizes are two fleets whose difference gives the memory of a device.
type sizes struct {
	name        string
	role        string // of the far end
	few, many   int
	each, whole float64 // most that a device and the program itself may hold, bytes; 0: no bar
	ours        bool
	side
}

var fleets = []sizes{
	{"idle device, MQTT over TCP", "mqtt", 5000, 15_000, 512, 20e6, true, swarmSide},
	{"idle device, MQTT over TLS 1.3", "mqtts", 3000, 9000, 2048, 0, true, swarmSide},
	{"paho (Go), MQTT over TCP", "mqtt", 1000, 3000, 0, 0, false, paho},
	{"MQTT.js, MQTT over TCP", "mqtt", 1000, 3000, 0, 0, false, mqttjs},
}

// memoryPart measures what a device that is connected and idle costs: the slope between two fleets, and what is left at none.
func memoryPart(r *run) error {
	for _, f := range fleets {
		runs := r.runs
		if !f.ours {
			runs = 1 // they are known well enough
		}
		var few, many [4][]float64
		for range runs {
			for conns, to := range map[int]*[4][]float64{f.few: &few, f.many: &many} {
				m, err := idle(f.side, f.role, conns)
				if err != nil {
					return fmt.Errorf("%s, %d devices: %w", f.name, conns, err)
				}
				for i, v := range []float64{m.rss, m.pss, m.anonymous, m.kernel} {
					to[i] = append(to[i], v)
				}
			}
		}
		slope := func(i int) (each, base float64) {
			each = (median(many[i]) - median(few[i])) / float64(f.many-f.few)
			return each, median(few[i]) - each*float64(f.few)
		}
		rss, base := slope(0)
		pss, _ := slope(1)
		anonymous, own := slope(2)
		bar, v := "", none
		if f.each > 0 {
			bar, v = fmt.Sprintf("<= %g B", f.each), holds(rss <= f.each)
		}
		r.row(fmt.Sprintf("%s, slope %d to %d", f.name, f.few, f.many), bar, fmt.Sprintf("%.0f B of RSS (PSS %.0f B, anonymous %.0f B)", rss, pss, anonymous), v)
		bar, v = "", none
		if f.whole > 0 {
			bar, v = fmt.Sprintf("<= %g MB", f.whole/1e6), holds(base <= f.whole)
		}
		if kernel, _ := slope(3); f.ours {
			r.row("  the kernel, for both ends of a connection", "", fmt.Sprintf("%.0f B", kernel), none)
		}
		r.row("  base", bar, fmt.Sprintf("%.1f MB of RSS, of which %.1f MB anonymous", base/1e6, own/1e6), v)
	}
	return nil
}

// idle is what a side holds once its devices are connected and some seconds have gone by.
func idle(s side, role string, conns int) (m memory, err error) {
	e, err := far(role, 1+conns/18_000, setup{})
	if err != nil {
		return m, err
	}
	defer e.end()
	before, err := slabs()
	if err != nil {
		return m, err
	}
	c, err := s.start(amount{role: role, conns: conns}, e, 5*time.Minute)
	if err != nil {
		return m, err
	}
	stop, err := launch(c)
	if err != nil {
		return m, fmt.Errorf("%s: %w", s.name, err)
	}
	defer func() {
		if said := stop(); err != nil {
			err = fmt.Errorf("%w; it said: %s", err, said)
		}
	}()
	if err := e.until(2*time.Minute, "all connect", func(f figures) bool { return f.Open >= int64(conns) && f.Sessions >= int64(conns) }); err != nil {
		return m, err
	}
	time.Sleep(6 * time.Second)
	if m, err = held(c.Process.Pid); err != nil {
		return m, err
	}
	after, err := slabs()
	m.kernel = after - before
	return m, err
}
