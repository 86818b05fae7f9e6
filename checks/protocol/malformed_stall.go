package protocol

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// MalformedStall announces a packet and withholds most of it. What the broker sends after it counts to the device as its rest.
var MalformedStall = &check.Check{
	ID:    "protocol.malformed-stall",
	Title: "Gives up a packet that does not come to its end",
	Why: "A broker, a proxy or a modem that stops in the middle of a packet leaves the device waiting. " +
		"Without a limit it waits for ever, or takes all its memory for 256 MB that never come.",
	Pass: "closes the connection within 1.5 times its keep-alive + 5 s, when 30 bytes come of 10,000, or of the 256 MB that a length can say; " +
		"then connects anew and works; never crashed",
	Fix:          "count a connection as alive by whole packets only, and refuse a length above what the device can use before memory is taken for it",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.9-1", "EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.malformed.stall"},
	Sources:      []string{"MQTT-3.1.2-24 (3.1.1: the server's limit)", "MQTT 3.1.1 and 5.0 section 3.1.2.10: no PINGRESP within a reasonable time"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      2 * time.Minute,
	Limit:        3 * time.Hour,
	Run:          malformedStall,
}

// stalled is a packet that does not come to its end, and what the device did.
type stalled struct {
	what      string
	keepAlive time.Duration
	closed    time.Duration // from the packet to the end of the connection; negative: it did not end
	probe     testbed.Probe // when it ended
	first     int
	last      int
}

func malformedStall(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if s.KeepAlive() == 0 {
		return check.NotApplicable("its keep-alive is off, so that nothing tells it of a dead connection; see the checks of the keep-alive")
	}
	for i, v := range []struct {
		what   string
		length int
	}{{"a PUBLISH of 10,000 bytes of which 30 come", 10_000}, {"a PUBLISH of 256 MB of which 30 come", 1<<28 - 1}} {
		if i > 0 {
			if s, err = renew(ctx, t, s); err != nil {
				return err
			}
		}
		f, err := stall(ctx, t, s, v.what, v.length)
		if err != nil {
			return err
		}
		t.Find(judgeStalled(f, t.Clock.Device(slack))...)
	}
	return nil
}

func stall(ctx context.Context, t *check.T, s *testbed.Session, what string, length int) (stalled, error) {
	t.Step("send %s", what)
	topic := carry(t, s).Topic
	raw := binary.AppendUvarint([]byte{byte(mqtt.PUBLISH) << 4}, uint64(length))
	raw = append(binary.BigEndian.AppendUint16(raw, uint16(len(topic))), topic...)
	raw = append(raw, make([]byte, 30)...)
	f := stalled{what: what, keepAlive: s.KeepAlive(), closed: -1, first: t.Log.Len()}
	start := t.Clock.Now()
	if err := s.Conn.SendRaw(what, raw); err != nil {
		return f, check.NotRun("", "the connection ended before %s could be sent", what)
	}
	_, err := t.Device.AwaitClose(ctx, s, f.first, f.keepAlive*4+5*time.Second+t.Clock.Device(slack))
	if ctx.Err() != nil {
		return f, ctx.Err()
	}
	f.last = t.Log.Len() - 1
	at, left := testbed.Left(t.Log.Since(f.first), s.Conn.Number())
	if err != nil || !left {
		return f, nil
	}
	f.closed = at.Sub(start)
	t.MeasureTime(what+": closed after", f.closed, fmt.Sprintf("<= %.0f s", f.limit().Seconds()))
	f.probe, err = t.Device.Probe(ctx, s, f.first, t.Device.Cap()+30*time.Second)
	f.last = f.probe.Last
	return f, err
}

func (f stalled) limit() time.Duration { return f.keepAlive*3/2 + 5*time.Second }

func judgeStalled(f stalled, slack time.Duration) []check.Finding {
	expected := fmt.Sprintf("it closes the connection within %.0f s (1.5 times its keep-alive + 5 s)", f.limit().Seconds())
	evidence := check.Range(f.first, f.last, "from the packet to the end of the wait")
	switch {
	case f.closed < 0:
		return []check.Finding{{
			Title:    "Is deaf after " + f.what,
			Expected: expected,
			Seen:     fmt.Sprintf("it did not close the connection in %.0f s, and nothing that was sent on it could reach the device", (f.keepAlive*4 + 5*time.Second).Seconds()),
			Evidence: evidence,
		}}
	case f.closed > f.limit()+max(slack, f.limit()/10): // 2 times a keep-alive of 10 s is on the limit
		late := check.Finding{
			Severity: check.Minor,
			Title:    "Is slow to give up " + f.what,
			Expected: expected,
			Seen:     fmt.Sprintf("it closed the connection after %.1f s", f.closed.Seconds()),
			Evidence: evidence,
		}
		return append(check.Alive(f.probe, f.what), late)
	}
	return check.Alive(f.probe, f.what)
}
