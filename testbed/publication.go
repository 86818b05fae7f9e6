package testbed

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
)

// Publication is one PUBLISH of the device with QoS 1 or 2, as it came.
type Publication struct {
	N, Conn int // of its event
	At      time.Time
	*mqtt.Packet
}

// Says reports whether two publications carry the same message.
func (p Publication) Says(q Publication) bool {
	return p.Topic == q.Topic && bytes.Equal(p.Payload, q.Payload)
}

// Publications are those in events, in their order.
func Publications(events []evidence.Event) []Publication {
	var all []Publication
	for _, e := range events {
		if p, ok := published(e); ok {
			all = append(all, p)
		}
	}
	return all
}

func published(e evidence.Event) (Publication, bool) {
	p, ok := broker.Got(e, mqtt.PUBLISH)
	if !ok || p.QoS == 0 {
		return Publication{}, false
	}
	return Publication{N: e.N, Conn: e.Conn, At: e.At, Packet: p}, true
}

// Reports is how long to wait for the device to publish something by itself: three times the declared telemetry_every, at least 30 s.
func (d *Device) Reports() time.Duration {
	return max(30*time.Second, 3*time.Duration(d.bed.Product.Declared.TelemetryGap))
}

// AwaitPublication waits up to within (device time) for a publication on session s for which match holds, in the events from mark on.
// A nil match is any. It reports false when the time is over or the connection has ended. The error is that of ctx.
func (d *Device) AwaitPublication(ctx context.Context, s *Session, mark int, within time.Duration, match func(Publication) bool) (Publication, bool, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		if e.Conn != s.Conn.Number() {
			return false
		}
		p, ok := published(e)
		return ok && (match == nil || match(p)) || e.Kind == evidence.Close
	})
	p, ok := published(e)
	return p, err == nil && ok, ctx.Err()
}

// AwaitAck waits up to within (device time) for an acknowledgement of that type and packet id on session s, in the events from mark
// on. The error says that none came, or is that of ctx.
func (d *Device) AwaitAck(ctx context.Context, s *Session, mark int, within time.Duration, typ mqtt.Type, id uint16) (evidence.Event, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		if e.Conn != s.Conn.Number() {
			return false
		}
		p, ok := broker.Got(e, typ)
		return ok && p.ID == id || e.Kind == evidence.Close
	})
	switch {
	case ctx.Err() != nil:
		return e, ctx.Err()
	case err != nil:
		return e, fmt.Errorf("no %s for packet id %d within %s", typ, id, within)
	case e.Kind == evidence.Close:
		return e, fmt.Errorf("no %s for packet id %d: the connection ended (%s)", typ, id, e.Text)
	}
	return e, nil
}
