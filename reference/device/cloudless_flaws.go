package device

import "time"

// advanceCloudless does what defects do without the cloud.
func (d *Device) advanceCloudless() {
	if d.home != nil {
		d.home.cloud.Store(d.online())
	}
	if d.online() || d.flaw.cloudAt == 0 {
		d.flaw.cloudAt = d.up
	}
	if d.has("cloud-watchdog") && d.up-d.flaw.cloudAt >= 40*time.Second {
		d.crash("watchdog: no cloud for 40 s")
	}
}
