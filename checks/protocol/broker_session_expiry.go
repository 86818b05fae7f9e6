package protocol

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerSessionExpiry comes back before and after its session has expired.
var BrokerSessionExpiry = &check.Check{
	ID:    "protocol.broker-session-expiry",
	Title: "Ends sessions when they expire, and not before",
	Why: "A session that ends early loses commands. " +
		"One that never ends keeps the queue of every device that was ever thrown away, until the broker is full.",
	Pass:         "a session with an expiry of 5 s is there after 3.5 s and not after 6.5 s, and one with an expiry of 0 is not there at all",
	Fix:          "start the expiry when the connection ends, and delete the session by a timer",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Rows:         []string{"broker.session.expiry"},
	Sources:      []string{"MQTT 5.0 section 3.1.2.11.2", "paho.mqtt.testing: session expiry (same values)"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Version: "5.0"},
	Impact:       check.Observes,
	Typical:      12 * time.Second,
	Limit:        2 * time.Minute,
	Run:          brokerSessionExpiry,
}

// expirySlack is how far from its expiry a session may end.
const expirySlack = time.Second

// absence is a time that a client was away.
type absence struct {
	expiry      time.Duration
	least, most time.Duration // how long: the broker saw the return somewhere between
	present     bool          // its session afterwards
	first, last int
}

func brokerSessionExpiry(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	for _, c := range []struct {
		expiry uint32
		away   time.Duration
	}{{0, 0}, {5, 3500 * time.Millisecond}, {5, 6500 * time.Millisecond}} {
		expires := func(o *client.Options) { o.Props = mqtt.Properties{{ID: mqtt.SessionExpiry, Int: c.expiry}} }
		t.Step("leave a session with an expiry of %d s for %s", c.expiry, c.away)
		a := absence{expiry: time.Duration(c.expiry) * time.Second, first: t.Log.Len()}
		conn, err := room.Dial(ctx, 0, expires)
		if err != nil {
			return err
		}
		ack, err := conn.Connect(ctx)
		if err != nil {
			return check.Refuses(err)
		}
		if granted := ack.Props.Int(mqtt.SessionExpiry, c.expiry); granted != c.expiry {
			return check.NotApplicable("the cloud grants a session expiry of %d s where %d s are asked for", granted, c.expiry)
		}
		back, err := room.Dial(ctx, 0, expires, func(o *client.Options) { o.Clean = false }) // TCP and TLS beforehand: they take time
		if err != nil {
			return err
		}
		conn.Disconnect(0)
		left := t.Clock.Now()
		if err := t.Clock.Sleep(ctx, c.away); err != nil {
			return err
		}
		a.least = t.Clock.Since(left)
		if ack, err = back.Connect(ctx); err != nil {
			return check.Refuses(err)
		}
		a.most = t.Clock.Since(left)
		a.present, a.last = ack.SessionPresent, t.Log.Len()-1
		back.Disconnect(0)
		t.Record("session with an expiry of %s, after %.1f s: present is %v", a.expiry, a.least.Seconds(), a.present)
		t.Find(judgeExpiry(a)...)
		if !a.present && a.least < a.expiry-expirySlack && a.most >= a.expiry-expirySlack {
			return check.NotRun("run it on a machine that is less busy", "the way back took %s, in which the session may have expired", a.most-a.least)
		}
	}
	return nil
}

func judgeExpiry(a absence) []check.Finding {
	f := check.Finding{
		Seen:     fmt.Sprintf("with an expiry of %s, session present is %v after %.1f s", a.expiry, a.present, a.least.Seconds()),
		Evidence: check.Range(a.first, a.last, "leaving and coming back"),
	}
	switch {
	case a.present && (a.expiry == 0 || a.least > a.expiry+expirySlack):
		f.Title = "Keeps a session that has expired"
	case !a.present && a.most < a.expiry-expirySlack:
		f.Title = "Ends a session before it expires"
	default:
		return nil
	}
	return []check.Finding{f}
}
