package protocol

import (
	"bytes"
	"context"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/ws"
	"github.com/shakedown-test/shakedown/world/websocket"
)

// pingWord is what the ping between fragments carries.
const pingWord = "shakedown"

// WsFrame puts what the broker sends into frames as a server may do and few do.
var WsFrame = &check.Check{
	ID:    "protocol.ws-frame",
	Title: "Takes commands in every form of WebSocket frames",
	Why: "Brokers put one packet into one small frame. Proxies in between put packets together, cut them apart and send pings among them: " +
		"a device behind one loses commands, or is cut off because it does not answer the pings.",
	Pass: "a command takes effect that comes in 2 fragments with a ping between them, and one that comes at the end of a frame of more than " +
		"64 KiB; the ping is answered with its content within 10 s (major), and every frame of the device is masked (major)",
	Fix:      "let a library parse frames (RFC 6455 section 5), read MQTT as a stream over them [MQTT-6.0.0-2], and answer pings at once",
	Severity: check.Major,
	Rows:     []string{"ws.frame"},
	Sources:  []string{"RFC 6455 sections 5.1 to 5.5", "MQTT-6.0.0-2", "Autobahn test suite, families 2 and 5"},
	Needs:    check.Needs{Real: product.Device, Speaks: product.WS, Declares: []string{"command"}},
	Impact:   check.Disturbs,
	Typical:  20 * time.Second,
	Limit:    30 * time.Minute,
	Run:      wsFrame,
}

func wsFrame(ctx context.Context, t *check.T) error {
	s, err := t.Online(ctx)
	if err != nil {
		return err
	}
	if err := t.TellsEffects(); err != nil {
		return err
	}
	t.Step("send a command in two fragments, with a ping between them")
	mark := t.Log.Len()
	heal := t.Impair(t.Gate.Shape("fragments with a ping between them", inFragments))
	took, err := carriedOut(ctx, t, s, nil, mark)
	if err != nil {
		return err
	}
	heal()
	wait, cancel := t.Clock.Timeout(ctx, 10*time.Second)
	_, missing := t.Log.Await(wait, mark, func(e evidence.Event) bool {
		a, ok := e.Data.(*websocket.Answered)
		return ok && a.Payload == pingWord
	})
	cancel()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	t.Find(judgeFrames("in 2 fragments with a ping between them", took, mark, t.Log.Len()-1)...)
	if missing != nil {
		t.Find(check.Finding{
			Title: "Does not answer a ping", Expected: "a pong with the same content within 10 s", Seen: "no pong came",
			Evidence: check.Range(mark, t.Log.Len()-1, "from the ping on"),
		})
	}
	t.Step("send a command at the end of a frame of more than 64 KiB")
	mark = t.Log.Len()
	if s, err = current(ctx, t, s); err != nil {
		return err
	}
	if took, err = carriedOut(ctx, t, s, ballast(t, s), mark); err != nil {
		return err
	}
	t.Find(judgeFrames("at the end of a frame of more than 64 KiB", took, mark, t.Log.Len()-1)...)
	t.Find(judgeMasks(t.Log.Since(0))...)
	return nil
}

// inFragments cuts what is sent into two, with a ping between them.
func inFragments(b []byte) []ws.Frame {
	half := len(b) / 2
	return []ws.Frame{
		{Op: ws.Binary, Payload: b[:half]},
		{Fin: true, Op: ws.Ping, Payload: []byte(pingWord)},
		{Fin: true, Op: ws.Continuation, Payload: b[half:]},
	}
}

// ballast is packets that a device passes over, more than 64 KiB of them: messages on its command topic that are no commands.
func ballast(t *check.T, s *testbed.Session) []byte {
	var raw []byte
	for len(raw) <= 1<<16 {
		p := t.Device.Bad(bytes.Repeat([]byte{' '}, 3500)).Packet(s.Version)
		p.QoS = 0
		raw = append(raw, p.Bytes()...)
	}
	return raw
}

// carriedOut sends bytes and a command behind them as one write, and reports whether the command took effect.
func carriedOut(ctx context.Context, t *check.T, s *testbed.Session, before []byte, mark int) (bool, error) {
	c := t.Device.Command()
	p := c.Packet(s.Version)
	if p.QoS > 0 {
		p.ID = s.Conn.NextID()
	}
	if err := s.Conn.SendRaw("a command, WebSocket frames as told", append(before, p.Bytes()...)); err != nil {
		return false, err
	}
	_, err := t.Device.AwaitEffect(ctx, c, mark, 20*time.Second)
	return err == nil, ctx.Err()
}

// current is the session that the device has now: the same, or the next one where it has closed it.
func current(ctx context.Context, t *check.T, s *testbed.Session) (*testbed.Session, error) {
	select {
	case <-s.Conn.Done():
		return t.Again(ctx, s.Mark+1)
	default:
		return s, nil
	}
}

func judgeFrames(form string, took bool, first, last int) []check.Finding {
	if took {
		return nil
	}
	return []check.Finding{{
		Title: "Does not take a command " + form, Expected: "it takes effect, as any other", Seen: "no effect of it within 20 s",
		Evidence: check.Range(first, last, "from the command on"),
	}}
}

// judgeMasks finds a frame that violates RFC 6455, such as one without a mask.
func judgeMasks(events []evidence.Event) []check.Finding {
	for _, e := range events {
		if bad, ok := e.Data.(*ws.Error); ok {
			return []check.Finding{{
				Title: "Violates the WebSocket protocol", Expected: "frames as RFC 6455 section 5 has them", Seen: bad.Reason,
				Evidence: check.Range(e.N, e.N, "the frame"),
			}}
		}
	}
	return nil
}
