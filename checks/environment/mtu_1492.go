package environment

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
)

// Mtu1492 makes the way to the internet that of DSL with PPPoE.
var Mtu1492 = &check.Check{
	ID:    "environment.mtu-1492",
	Title: "Works behind DSL, where packets are at most 1492 bytes long",
	Why: "Millions of homes have PPPoE, which takes 8 bytes of every packet. " +
		"A device that works in the laboratory hangs there as soon as something is large.",
	Pass: "with an MTU of 1492 on the uplink, and ICMP that says so, the device is online within its declared time and 60 s, " +
		"and a command of 64 KiB (or its declared max_command, if that is less) takes effect within 60 s",
	Fix:          "leave path MTU discovery on, and let ICMP type 3 code 4 through the device's own firewall",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2h", "EN303645:5.9-1"},
	Rows:         []string{"net.mtu.1492"},
	Sources:      []string{"RFC 2516, section 7 (PPPoE)", "RFC 1191", "github.com/opnsense/core issue 3328"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.MQTT, World: true},
	Impact:       check.Restarts,
	Typical:      15 * time.Second,
	Limit:        20 * time.Minute,
	Run:          mtu1492,
}

// transferred is a large command on a narrow path.
type transferred struct {
	size   int // 0: none was sent
	effect bool
	first  int
	last   int
}

func mtu1492(ctx context.Context, t *check.T) error {
	if _, err := t.Online(ctx); err != nil {
		return err
	}
	const on = "a link with an MTU of 1492"
	t.Step("limit packets to 1492 bytes, say so by ICMP, and start it anew")
	heal := t.Impair(t.World.Home().Uplink.MTU(frame.Both, 1492, internet.BackboneV4))
	j, s, err := join(ctx, t, on, connectWithin)
	if err != nil {
		return err
	}
	t.Find(judgeJoined(j)...)
	if s == nil {
		return bringBack(ctx, t, heal)
	}
	f, err := transfer(ctx, t, s)
	if err != nil {
		return err
	}
	t.Find(judgeTransferred(f)...)
	p, err := t.Device.Probe(ctx, s, t.Log.Len(), t.Device.Patience())
	if err != nil {
		return err
	}
	t.Find(check.Alive(p, "64 KiB over "+on)...)
	return nil
}

// transfer sends a command that is padded to 64 KiB, as far as the device declares to take it.
func transfer(ctx context.Context, t *check.T, s *testbed.Session) (transferred, error) {
	size := min(64<<10, t.Product.Declared.MaxCommand)
	if size == 0 || t.Device.Part.MQTT == nil || t.Device.Part.MQTT.Command == nil {
		t.Record("no large command is sent: max_command or the command is not declared")
		return transferred{}, nil
	}
	c := t.Device.Command()
	padded, ok := padded(c.Payload, size)
	if !ok {
		t.Record("no large command is sent: the command is no JSON object")
		return transferred{}, nil
	}
	c.Payload = padded
	f := transferred{size: size, first: t.Log.Len()}
	t.Step("send a command of %d bytes", size)
	if err := s.Send(c); err != nil {
		return f, check.NotRun("", "the connection ended before a command of %d bytes could be sent", size)
	}
	_, err := t.Device.AwaitEffect(ctx, c, f.first, 60*time.Second)
	f.effect, f.last = err == nil, t.Log.Len()-1
	return f, ctx.Err()
}

// padded is a JSON object of size bytes that says the same as object, and whether object is one that is not larger.
func padded(object []byte, size int) ([]byte, bool) {
	object = bytes.TrimSpace(object)
	var fields map[string]any
	if len(object) > size || json.Unmarshal(object, &fields) != nil || fields == nil {
		return nil, false
	}
	out := append([]byte{'{'}, bytes.Repeat([]byte{' '}, size-len(object))...)
	return append(out, object[1:]...), true
}

func judgeTransferred(f transferred) []check.Finding {
	if f.size == 0 || f.effect {
		return nil
	}
	return []check.Finding{{
		Title:    "Does not get a large command over a link with an MTU of 1492",
		Expected: "an effect of the command within 60 s",
		Seen:     "none",
		Evidence: check.Range(f.first, f.last, "since the command"),
	}}
}
