package testbed

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/ntp"
)

// nearNow is how far from now a time may be that a device with a right clock shows.
const nearNow = 5 * time.Minute

// ClockField is where the device shows its clock: a field of the JSON that it publishes on a topic.
type ClockField struct{ Topic, Field string }

// Shown is the time of day that the device showed in one message.
type Shown struct {
	evidence.Event
	Time time.Time
}

// Off is how far the device's clock was ahead when the message came.
func (s Shown) Off() time.Duration { return s.Time.Sub(s.At) }

// FindClock waits up to within (device time) for a message with a time of about now, in the events from mark on. It reports false when
// none came.
func (d *Device) FindClock(ctx context.Context, mark int, within time.Duration) (f ClockField, ok bool, err error) {
	_, ok, err = d.awaitMessage(ctx, mark, within, func(e evidence.Event, topic string, times map[string]time.Time) bool {
		for name, at := range times {
			if at.Sub(e.At).Abs() < nearNow && (f.Field == "" || name < f.Field) {
				f = ClockField{topic, name}
			}
		}
		return f.Field != ""
	})
	return f, ok, err
}

// Clock is what the device showed in events.
func (f ClockField) Clock(events []evidence.Event) (all []Shown) {
	for _, e := range events {
		if topic, times := message(e); topic == f.Topic {
			if at, ok := times[f.Field]; ok {
				all = append(all, Shown{e, at})
			}
		}
	}
	return all
}

// AwaitClock waits up to within (device time) for the first message from mark on in which the device shows its clock. It reports false
// when none came.
func (d *Device) AwaitClock(ctx context.Context, f ClockField, mark int, within time.Duration) (s Shown, ok bool, err error) {
	s.Event, ok, err = d.awaitMessage(ctx, mark, within, func(_ evidence.Event, topic string, times map[string]time.Time) bool {
		at, there := times[f.Field]
		s.Time = at
		return there && topic == f.Topic
	})
	return s, ok, err
}

// NearestClock waits up to within (device time), in the events from mark on, for a message in which the device's clock is ahead by ahead,
// give or take five minutes. It returns how far the clock was ahead in the message that came nearest to that, and how many messages came.
func (d *Device) NearestClock(ctx context.Context, f ClockField, mark int, ahead, within time.Duration) (off time.Duration, n int, err error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	for {
		s, ok, err := d.AwaitClock(wait, f, mark, within)
		if ctx.Err() != nil {
			return off, n, ctx.Err()
		}
		if err != nil || !ok {
			return off, n, nil
		}
		if n == 0 || (s.Off()-ahead).Abs() < (off-ahead).Abs() {
			off = s.Off()
		}
		n++
		if (off - ahead).Abs() < nearNow {
			return off, n, nil
		}
		mark = s.N + 1
	}
}

func (d *Device) awaitMessage(ctx context.Context, mark int, within time.Duration, match func(evidence.Event, string, map[string]time.Time) bool) (evidence.Event, bool, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		topic, times := message(e)
		return len(times) > 0 && match(e, topic, times)
	})
	return e, err == nil, ctx.Err()
}

// message is the topic and the times in what the device published, where an event is that.
func message(e evidence.Event) (topic string, times map[string]time.Time) {
	p, ok := broker.Got(e, mqtt.PUBLISH)
	if !ok {
		return "", nil
	}
	var payload any
	if json.Unmarshal(p.Payload, &payload) != nil {
		return "", nil
	}
	return p.Topic, Times(payload)
}

// Times are the fields of a decoded JSON object that are a time, none where the payload is no object: RFC 3339, or seconds since 1970 from
// April 1971 on, which a clock shows that was never set, or milliseconds from 2001 on, all before 2103. What stands deeper is left out.
func Times(payload any) map[string]time.Time {
	times := map[string]time.Time{}
	fields, _ := payload.(map[string]any)
	for name, v := range fields {
		switch v := v.(type) {
		case string:
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				times[name] = at
			}
		case float64:
			switch {
			case v >= 4e7 && v < 4.2e9:
				seconds, part := math.Modf(v)
				times[name] = time.Unix(int64(seconds), int64(part*1e9))
			case v >= 1e12 && v < 4.2e12:
				times[name] = time.UnixMilli(int64(v))
			}
		}
	}
	return times
}

// TimeRequest is a request that came to one of the world's time servers.
type TimeRequest struct {
	evidence.Event
	ntp.Request
}

// TimeRequests are those in events.
func TimeRequests(events []evidence.Event) (all []TimeRequest) {
	for _, e := range events {
		if r, ok := ntp.Asked(e); ok {
			all = append(all, TimeRequest{e, r})
		}
	}
	return all
}

// AwaitTime waits up to within (device time) until one of the world's time servers has replied, in the events from mark on. It reports
// false when none did: the device did not ask, or they are silent.
func (d *Device) AwaitTime(ctx context.Context, mark int, within time.Duration) (evidence.Event, bool, error) {
	wait, cancel := d.bed.Clock.Timeout(ctx, within)
	defer cancel()
	e, err := d.bed.Log.Await(wait, mark, func(e evidence.Event) bool {
		_, ok := ntp.Replied(e)
		return ok
	})
	return e, err == nil, ctx.Err()
}
