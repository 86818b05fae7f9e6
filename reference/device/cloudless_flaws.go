package device

import (
	"context"
	"sync"
	"time"
)

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

// pages serves the page until the device leaves its home; by defect only while it is online.
func (h *household) pages() {
	if !h.cfg.has("page-needs-cloud") {
		h.page(h.off)
		return
	}
	for h.off.Err() == nil {
		var serving sync.WaitGroup
		ctx, stop := context.WithCancel(h.off)
		online := h.cloud.Load()
		if online {
			serving.Go(func() { h.page(ctx) })
		}
		for h.cloud.Load() == online && h.cfg.Clock.Sleep(ctx, 500*time.Millisecond) == nil {
		}
		stop()
		serving.Wait()
	}
}
