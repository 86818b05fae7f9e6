package device

import (
	"bytes"
	"time"
)

// lateBy is how old a message without acknowledgement may get before a planted defect does something about it; never without one.
func (d *Device) lateBy() time.Duration {
	switch {
	case d.has("ack-late-crash"), d.has("ack-late-drop"), d.has("ack-late-again"):
		return 150 * time.Millisecond
	case d.has("outage-crash"):
		return 3 * time.Second
	}
	return never
}

// lateAt is the uptime at which the oldest message without acknowledgement gets too old.
func (d *Device) lateAt() time.Duration {
	limit := d.lateBy()
	if limit == never || !d.online() {
		return never
	}
	at := never
	for _, m := range d.set.Session.InFlight {
		if m.sent && !d.flaw.late[m.ID] {
			at = min(at, m.at+limit)
		}
	}
	return at
}

// advanceLate is what the defects do then: crash, drop the connection, or carry the command out again whose report is late.
func (d *Device) advanceLate() {
	if d.up < d.lateAt() {
		return
	}
	switch {
	case d.has("ack-late-crash"), d.has("outage-crash"):
		d.crash("assertion failed: acknowledged in time")
	case d.has("ack-late-drop"):
		d.end("no acknowledgement", dropped, 0)
	default:
		if d.flaw.late == nil {
			d.flaw.late = map[uint16]bool{}
		}
		for _, m := range d.set.Session.InFlight {
			if m.sent && d.up >= m.at+d.lateBy() && !d.flaw.late[m.ID] {
				d.flaw.late[m.ID] = true
				if m.Kind == event && len(d.set.Events) < 4 {
					d.set.Events = append(d.set.Events, message{Kind: event, Payload: m.Payload})
				}
			}
		}
	}
}

// bloat adds a log of 32 KiB to a reading.
func (d *Device) bloat(payload []byte) []byte {
	if !d.has("telemetry-bloated") {
		return payload
	}
	filled := append([]byte(`{"log":"`), bytes.Repeat([]byte("ok "), 32<<10/3)...)
	return append(append(filled, `",`...), payload[1:]...)
}
