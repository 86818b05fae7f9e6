package security

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerAnonymous connects without the credentials that the cloud should insist on.
var BrokerAnonymous = &check.Check{
	ID:    "security.broker-anonymous",
	Title: "Refuses clients without valid credentials",
	Why: "Brokers that let everybody in are found by search engines within days. " +
		"Whoever connects reads every home and commands every device.",
	Pass:         "no CONNACK with success without credentials, with a wrong password, for an unknown user, or without TLS where the endpoint has TLS; the right credentials are accepted",
	Fix:          "switch anonymous access off, and close the plain port",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2d", "EN303645:5.5-5", "IOT10:I2", "IOT10:I9"},
	Rows:         []string{"broker.anonymous"},
	Sources:      []string{"MQTT-3.1.4-2 (5.0), section 5.4.1", "OWASP IoT Top 10: I2, I9"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Clients: 1},
	Impact:       check.Observes,
	Typical:      5 * time.Second,
	Limit:        2 * time.Minute,
	Run:          brokerAnonymous,
}

// intruder is somebody who must not get in.
type intruder struct {
	how         string
	change      func(*client.Options)
	accepted    bool
	first, last int
}

func brokerAnonymous(ctx context.Context, t *check.T) error {
	if _, err := t.Room(ctx, 1); err != nil { // the positive control
		return err
	}
	who := t.Cloud.Identities(1)[0]
	without := func(o *client.Options) {
		o.User, o.Pass = "", ""
		if o.TLS != nil {
			o.TLS.Certificates = nil
		}
	}
	ways := []intruder{
		{how: "without credentials", change: without},
		{how: "without credentials, under an id of its own", change: func(o *client.Options) { without(o); o.ClientID = "shakedown-nobody" }},
	}
	if who.User != "" && who.Pass != "" {
		ways = append(ways,
			intruder{how: "with a wrong password", change: func(o *client.Options) { o.Pass += "-wrong" }},
			intruder{how: "without a password", change: func(o *client.Options) { o.Pass = "" }},
			intruder{how: "as an unknown user", change: func(o *client.Options) { o.User = "shakedown-unknown" }})
	}
	if !t.Cloud.Plain() {
		ways = append(ways, intruder{how: "without TLS", change: func(o *client.Options) { o.TLS = nil }})
		if host, port, err := net.SplitHostPort(t.Cloud.Part.Address); err == nil && port != "1883" {
			ways = append(ways, intruder{how: "at the plain port 1883", change: func(o *client.Options) { o.TLS, o.Addr = (*tls.Config)(nil), net.JoinHostPort(host, "1883") }})
		}
	}
	for _, w := range ways {
		t.Step("connect %s", w.how)
		w.first = t.Log.Len()
		if c, err := t.Cloud.Dial(ctx, who, w.change); err == nil {
			ack, err := c.Connect(ctx)
			w.accepted = err == nil && ack.Code == 0
			c.Close()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w.last = t.Log.Len() - 1
		t.Find(judgeIntruder(w)...)
	}
	return nil
}

func judgeIntruder(w intruder) []check.Finding {
	if !w.accepted {
		return nil
	}
	return []check.Finding{{
		Title:    "Lets a client in " + w.how,
		Seen:     fmt.Sprintf("CONNACK with success for a client that connects %s", w.how),
		Evidence: check.Range(w.first, w.last, "the connection "+w.how),
	}}
}
