package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

const (
	longestOutage = 10 * time.Minute // of device time: longer buffers are tested as far as it reaches
	fastestDrain  = 10               // readings a second
)

// OfflineBuffer keeps a device offline until its buffer is full.
var OfflineBuffer = &check.Check{
	ID:    "telemetry.offline-buffer",
	Title: "Keeps its readings while it is offline, and brings them in afterwards",
	Why: "Networks are away for hours. Readings of that time are missing from the bill, the alarm or the proof of a cold chain. " +
		"Devices that were offline together then bring the cloud down when they send all at once.",
	Pass: "after an outage that is 3 readings longer than the declared offline_buffer (10 min at most) as many readings as declared come in (blocker); " +
		"those that are missing are the oldest or newest, as declared (major); every reading has the time of its measurement (major); they come with at most 10 readings/s (major); and the device does not crash (blocker)",
	Fix:          "keep readings in a ring buffer with the time of measurement in each, and drain it with a pause between two",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2f", "EN303645:5.9-1"},
	Incidents:    []string{"INC-106"},
	Rows:         []string{"mqtt.offline.buffer", "fault.sleep.burst_on_wake"},
	Sources:      []string{"github.com/Pioreactor/pioreactor issue 509", "limit of 10 readings/s: a proposal"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"telemetry", "sequence", "offline_buffer"}},
	Impact:       check.Disturbs,
	Typical:      3 * time.Minute,
	Limit:        2 * time.Hour,
	Run:          offlineBuffer,
}

func offlineBuffer(ctx context.Context, t *check.T) error {
	r, err := newReader(t)
	if err != nil {
		return err
	}
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	t.Step("read two measurements of a device that is online")
	before, err := r.await(ctx, t, 0, 2)
	if err != nil {
		return err
	}
	gap := time.Duration(t.Product.Declared.TelemetryGap)
	if gap == 0 {
		gap = before[1].at.Sub(before[0].at)
	}
	buffer := t.Product.Declared.OfflineBuffer
	outage := min(time.Duration(buffer+3)*gap, longestOutage)
	t.Step("take the network away for %s, which is %.0f readings", outage, outage.Seconds()/gap.Seconds())
	mark := t.Log.Len()
	undo, err := t.Link.Refuse()
	if err != nil {
		return err
	}
	heal := t.Impair(undo)
	t.Link.Cut(true)
	if err := t.Clock.Sleep(ctx, outage); err != nil {
		return err
	}
	t.Step("give the network back, and count what comes in")
	healed := t.Log.Len()
	heal()
	s, err := t.Device.NextSession(ctx, healed, 2*t.Device.Cap()+10*time.Second)
	if err != nil && !errors.Is(err, testbed.ErrOffline) {
		return err
	}
	o := outageSeen{
		buffer: buffer, keeps: t.Product.Declared.OfflineKeeps, gap: gap, back: s != nil, first: mark,
		full: outage >= time.Duration(buffer+3)*gap,
	}
	if s != nil {
		if err := r.drained(ctx, t, healed, gap, buffer); err != nil {
			return err
		}
	}
	events := t.Log.Since(0)
	all := r.readings(events)
	o.before, o.after = split(all, healed)
	o.last = len(events) - 1
	for _, e := range events[mark:] {
		if e.Kind == evidence.Exit && e.Part == t.Device.Part.Name {
			o.exit = e.Text
		}
	}
	if !o.full {
		t.Record("the outage was too short to fill the declared buffer of %d readings", buffer)
	}
	t.Measure("readings kept", float64(len(o.after)), "readings", fmt.Sprintf(">= %d", min(buffer, o.made())))
	t.Find(judgeOutage(o)...)
	return nil
}

// split parts readings into those that came before event number healed, and those that came after it. A reading that came twice
// counts where it came first.
func split(all []reading, healed int) (before, after []reading) {
	seen := map[int64]bool{}
	for _, r := range all {
		switch {
		case seen[r.seq]:
		case r.event < healed:
			before = append(before, r)
		default:
			after = append(after, r)
		}
		seen[r.seq] = true
	}
	return before, after
}
