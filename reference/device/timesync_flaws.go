package device

import (
	"time"

	"github.com/shakedown-test/shakedown/wire/ntp"
)

// timeServersFlawed are the names of the servers to ask.
func (d *Device) timeServersFlawed() []string {
	all := d.cfg.TimeServers
	switch {
	case len(all) == 0:
		return nil
	case d.has("sntp-hardcoded"):
		return []string{"203.0.113.123"}
	case d.has("sntp-one-server"):
		return all[:1]
	}
	return all
}

// bootClockFlawed changes the time at power-on.
func (d *Device) bootClockFlawed() {
	if d.has("clock-1970-crash") {
		d.src.begin(time.Unix(0, 0))
	}
}

// failedSyncFlawed changes what follows a failure.
func (d *Device) failedSyncFlawed() {
	k := &d.clock
	switch {
	case d.has("sntp-silent-hammer"):
		k.at = d.up + time.Second
	case d.has("sntp-silent-constant"):
		k.at = d.up + syncRetry
	case d.has("sntp-asks-once"):
		k.at = never
	case d.has("clock-1970-crash") && !d.src.known():
		d.crash("time before the build date")
	}
}

// setTimeFlawed is what a new time does.
func (d *Device) setTimeFlawed(step time.Duration) {
	if d.has("clock-jump-crash") && step.Abs() > 30*24*time.Hour && d.online() {
		d.crash("watchdog in a loop over days")
	}
}

// requestFlawed changes a request.
func (d *Device) requestFlawed(b []byte) []byte {
	if d.has("sntp-mode-1") {
		b[0] = b[0]&^7 | 1
	}
	return b
}

// readReply reads a reply.
func (d *Device) readReply(b []byte) (ntp.Packet, error) {
	if d.has("sntp-short-accepted") && len(b) < ntp.Size {
		b = append(append([]byte(nil), b...), make([]byte, ntp.Size-len(b))...)
		copy(b[40:], b[32:40]) // what is left in the buffer
	}
	return ntp.Decode(b)
}

// resultFlawed changes what is made of a good reply.
func (d *Device) resultFlawed(p *ntp.Packet, r timeResult) timeResult {
	switch {
	case d.has("sntp-era-0"):
		seconds := int64(p.Transmit>>32) - 2208988800
		r.now = time.Unix(seconds, 0)
	case d.has("sntp-time-32"):
		r.now = time.Unix(int64(int32(r.now.Unix())), 0)
	case d.has("sntp-leap-backwards") && p.Leap != ntp.NoWarning:
		r.now = r.now.Add(-time.Minute)
	}
	return r
}
