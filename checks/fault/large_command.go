package fault

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// LargeCommand sends commands of growing size.
var LargeCommand = &check.Check{
	ID:    "fault.large-command",
	Title: "Takes commands up to its declared size, and survives larger ones",
	Why: "Schedules, firmware lists and room plans grow until one no longer fits. " +
		"Then the device crashes, or drops it in silence, and nobody knows why it does not obey.",
	Pass: "commands of 1 KiB to the declared max_command take effect within 60 s; after 1, 64, 128 and 256 KiB and 1 MiB " +
		"it works on, or comes back within 60 s; never deaf, never crashed",
	Fix:          "read a payload only up to the size that the buffer holds, skip the rest, and report it; in MQTT 5.0 announce a Maximum Packet Size",
	Severity:     check.Blocker,
	Requirements: []string{"EN303645:5.13-1B", "CRA:I.2h"},
	Rows:         []string{"mqtt.payload.large-in"},
	Sources:      []string{"AWS IoT Device Advisor: payloads of 0 to 128 KB", "MQTT-3.1.2-24 (5.0)"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, Declares: []string{"command", "max_command"}},
	Impact:       check.Disturbs,
	Typical:      30 * time.Second,
	Limit:        60 * time.Minute,
	Run:          largeCommand,
}

// large is a command of a size, and what the device did with it.
type large struct {
	size     int
	declared bool // the size is within max_command
	refused  bool // it is above the device's own Maximum Packet Size, and was not sent
	real     bool // the payload is a command that can take effect
	effect   bool
	restarts bool // the process ended by itself
	probe    testbed.Probe
}

func largeCommand(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	sizes := []int{1 << 10, 64 << 10, 128 << 10, 256 << 10, 1 << 20, t.Product.Declared.MaxCommand}
	slices.Sort(sizes)
	largest := 0
	for _, size := range slices.Compact(sizes) {
		f, err := enlarge(ctx, t, s, size)
		if err != nil {
			return err
		}
		if f.effect {
			largest = size
		}
		t.Find(judgeLarge(f)...)
		if f.refused || f.probe.Health == testbed.Answers {
			continue
		}
		if s, err = recovered(ctx, t, f.probe); err != nil {
			return err
		}
	}
	if largest > 0 {
		t.Measure("largest command that took effect", float64(largest), "B", fmt.Sprintf(">= %d B", t.Product.Declared.MaxCommand))
	}
	return nil
}

// enlarge sends a command of size bytes: one padded with white space where it is JSON, otherwise bytes that are none.
func enlarge(ctx context.Context, t *check.T, s *testbed.Session, size int) (large, error) {
	c := t.Device.Command()
	f := large{size: size, declared: size <= t.Product.Declared.MaxCommand}
	if p, ok := widened(c.Payload, size); ok {
		c.Payload, f.real = p, true
	} else {
		c.Payload = bytes.Repeat([]byte{'x'}, size)
	}
	most := s.Connect.Props.Int(mqtt.MaximumPacketSize, 0)
	if s.Version == mqtt.V5 && most > 0 && len(c.Packet(s.Version).Bytes()) > int(most) {
		f.refused = true
		return f, nil
	}
	t.Step("send a command of %d bytes", size)
	mark := t.Log.Len()
	if err := s.Send(c); err != nil {
		return f, check.NotRun("", "the connection ended before a command of %d bytes could be sent", size)
	}
	if f.real && f.declared {
		_, err := t.Device.AwaitEffect(ctx, c, mark, 60*time.Second)
		if ctx.Err() != nil {
			return f, err
		}
		f.effect = err == nil
	}
	var err error
	f.probe, err = t.Device.Probe(ctx, s, mark, 60*time.Second+t.Clock.Device(250*time.Millisecond))
	for _, e := range t.Log.Since(mark) {
		f.restarts = f.restarts || e.Kind == evidence.Exit
		f.effect = f.effect || f.real && c.Shows(e)
	}
	return f, err
}

func judgeLarge(f large) []check.Finding {
	what := fmt.Sprintf("a command of %d bytes", f.size)
	if f.refused && f.declared {
		return []check.Finding{{
			Title:    "Announces a Maximum Packet Size below its declared max_command",
			Expected: what + " fits into the Maximum Packet Size of CONNECT, since it is within max_command",
			Seen:     "it does not fit, so that a broker discards it [MQTT-3.1.2-24]",
		}}
	}
	if f.refused {
		return nil
	}
	if dead := check.Alive(f.probe, what); dead != nil {
		return dead
	}
	evidence := check.Range(f.probe.First, f.probe.Last, "from the command to the end of the probe")
	switch {
	case f.restarts:
		return []check.Finding{{
			Title:    "Crashes after " + what + ", and starts anew",
			Expected: "it carries the command out or rejects it, and works on",
			Seen:     "its process ended by itself; it came back and works",
			Evidence: evidence,
		}}
	case f.declared && f.real && !f.effect:
		return []check.Finding{{
			Title:    "Does not carry out " + what + ", which is declared to work",
			Expected: "the effect shows within 60 s, since the size is within max_command",
			Seen:     "no effect; the device still works",
			Evidence: evidence,
		}}
	}
	return nil
}
