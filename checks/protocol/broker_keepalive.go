package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerKeepalive falls silent and waits for the broker to notice.
var BrokerKeepalive = &check.Check{
	ID:    "protocol.broker-keepalive",
	Title: "Drops a silent client at one and a half times its keep-alive",
	Why: "A device that lost its power or its network says nothing. " +
		"A broker that drops too early cuts off healthy devices; one that drops late or never shows dead devices as online.",
	Pass: "a client with a keep-alive of 10 s that falls silent is dropped after 15 s ±10 %, and its will is published within 2 s of that; " +
		"looked at a second time right after the first drop, since a broker that looks every few seconds is in time now and then",
	Fix:          "count one and a half times the keep-alive from the last packet of the client, in a timer of its own",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.9-1"},
	Rows:         []string{"broker.keepalive"},
	Sources:      []string{"MQTT-3.1.2-24 (3.1.1), MQTT-3.1.2-22 (5.0)", "ActiveMQ ARTEMIS-397: dropped at 0.75"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Observes,
	Typical:      40 * time.Second,
	Limit:        5 * time.Minute,
	Run:          brokerKeepalive,
}

// willWatched is how long the will is waited for.
const willWatched = 5 * time.Second

// silent is what became of a client that fell silent.
type silent struct {
	keepAlive   time.Duration
	closed      time.Duration // after the client sent its last packet; 0: not
	will        time.Duration // the same for its will; 0: none came
	heard       time.Duration // the same for the answer: by then the broker has that packet, and counts from it
	slack       time.Duration // by which this machine may be late
	watched     time.Duration
	first, last int
}

func brokerKeepalive(ctx context.Context, t *check.T) error {
	room, watcher, err := t.Reader(ctx, "will", 1)
	if err != nil {
		return err
	}
	var found []check.Finding
	for range 2 {
		s, err := fallSilent(ctx, t, room, watcher)
		if err != nil {
			return err
		}
		if found = judgeKeepalive(s); len(found) > 0 {
			break
		}
	}
	t.Find(found...)
	return nil
}

// fallSilent connects a client with a will that sends nothing more, and looks what becomes of it.
func fallSilent(ctx context.Context, t *check.T, room testbed.Room, watcher *client.Conn) (silent, error) {
	s := silent{keepAlive: 10 * time.Second, slack: t.Clock.Device(250 * time.Millisecond), first: t.Log.Len()}
	c, err := room.Dial(ctx, 0, func(o *client.Options) {
		o.KeepAlive, o.Will = 10, &mqtt.Will{Topic: room.Topic("will"), Payload: []byte("silent")}
	})
	if err != nil {
		return s, err
	}
	t.Step("connect with a keep-alive of 10 s and a will, and fall silent")
	wills := len(watcher.Messages())
	start := t.Clock.Now()
	ack, err := c.Connect(ctx)
	if err != nil {
		return s, check.Refuses(err)
	}
	c.Silence()
	s.heard = t.Clock.Since(start)
	s.keepAlive = time.Duration(ack.Props.Int(mqtt.ServerKeepAlive, 10)) * time.Second
	s.watched = 3*s.keepAlive + 5*time.Second
	if end, err := c.AwaitClose(ctx, s.watched); err == nil {
		s.closed = end.At.Sub(start)
		if got, err := watcher.AwaitMessages(ctx, willWatched+s.slack, wills+1); err == nil {
			s.will = max(got[wills].At.Sub(start), time.Millisecond)
		}
	}
	s.last = t.Log.Len() - 1
	t.MeasureTime("silent client dropped", s.closed, fmt.Sprintf("%.1f s ±10 %%", 1.5*s.keepAlive.Seconds()))
	return s, ctx.Err()
}

func judgeKeepalive(s silent) []check.Finding {
	due := s.keepAlive * 3 / 2
	evidence := check.Range(s.first, s.last, "the silent client")
	late := check.Finding{
		Evidence: evidence, Expected: fmt.Sprintf("it is dropped after %.1f s ±10 %%", due.Seconds()),
		Seen: fmt.Sprintf("it was dropped after %.1f s", s.closed.Seconds()),
	}
	switch {
	case s.closed == 0:
		late.Title = "Never drops a silent client"
		late.Seen = fmt.Sprintf("it was still connected after %.0f s", s.watched.Seconds())
		return []check.Finding{late}
	case s.closed < due*9/10:
		late.Title = "Drops clients before their keep-alive has passed"
		return []check.Finding{late}
	case s.closed-s.heard > due*11/10+s.slack:
		late.Title, late.Severity = "Is late to drop a silent client", check.Minor
		return append([]check.Finding{late}, judgeSilentWill(s)...)
	}
	return judgeSilentWill(s)
}

func judgeSilentWill(s silent) []check.Finding {
	if s.will > 0 && s.will < s.closed+2*time.Second+s.slack {
		return nil
	}
	f := check.Finding{
		Title:    "Does not publish the will of a client that it drops",
		Expected: "the will within 2 s of the end of the connection",
		Seen:     fmt.Sprintf("no will came within %.1f s", (willWatched + s.slack).Seconds()),
		Evidence: check.Range(s.first, s.last, "the silent client"),
	}
	if s.will > 0 {
		f.Title = "Is late with the will of a client that it drops"
		f.Seen = fmt.Sprintf("it came %.1f s after the end of the connection", (s.will - s.closed).Seconds())
	}
	return []check.Finding{f}
}
