package device

import (
	"encoding/json"
	"math"
	"time"
)

// reading is one measurement.
type reading struct {
	Seq         uint64    `json:"seq"` // runs on over restarts
	At          time.Time `json:"at"`  // when it was measured
	Temperature float64   `json:"temperature"`
	Battery     int       `json:"battery"`          // percent
	Unsure      bool      `json:"unsure,omitempty"` // of the time: the clock was not set since power-on
}

// drainGap is the least time between two readings: a backlog is sent at less than ten a second.
const drainGap = 150 * time.Millisecond

// sample measures when it is time, also when there is no connection.
func (d *Device) sample() {
	if d.up < d.sampleAt {
		return
	}
	for d.sampleAt <= d.up {
		d.sampleAt += d.sampleEvery()
	}
	d.set.Sequence++
	d.warmth += (float64(d.set.Target)/10-d.warmth)*0.02 + d.rng.Float64() - 0.5
	d.warmth = min(max(d.warmth, -40), 85)
	if d.has("telemetry-not-offline") && !d.online() {
		return
	}
	d.set.Backlog = append(d.set.Backlog, reading{
		Seq:         d.set.Sequence,
		At:          d.src.now().UTC().Truncate(time.Millisecond),
		Temperature: math.Round(d.warmth*10+float64(d.set.Offset)) / 10,
		Battery:     100 - int(d.set.Sequence/2000%80),
		Unsure:      !d.src.known(),
	})
	d.trim()
	d.dirty = true
}

// sampleEvery is the time between two readings.
func (d *Device) sampleEvery() time.Duration {
	switch {
	case d.has("telemetry-flood"):
		return sampleEvery / 10
	case d.has("ping-never") || d.has("ping-ignores-server-keepalive"):
		return 100 * time.Second // they save the battery here too; otherwise readings would stand in for the pings
	}
	return sampleEvery
}

// trim keeps the newest readings of a backlog that is too long.
func (d *Device) trim() {
	over := len(d.set.Backlog) - d.bufferSize()
	if over <= 0 {
		return
	}
	if d.has("buffer-keeps-oldest") {
		d.set.Backlog = d.set.Backlog[:d.bufferSize()]
		return
	}
	if d.has("buffer-overflow-crash") {
		d.crash("buffer overflow in telemetry")
		return
	}
	d.set.Backlog = append(d.set.Backlog[:0], d.set.Backlog[over:]...)
}

func (d *Device) bufferSize() int {
	if d.has("buffer-small") {
		return offlineBuffer / 10
	}
	return offlineBuffer
}

// encode makes the payload of a reading.
func (d *Device) encode(r reading) []byte {
	if d.has("telemetry-stamped-when-sent") {
		r.At = d.src.now().UTC().Truncate(time.Millisecond)
	}
	b, err := json.Marshal(r)
	if err != nil {
		panic("encode reading: " + err.Error()) // numbers and a time always encode
	}
	return d.bloat(b)
}
