package security

import (
	"context"
	"fmt"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/client"
)

// BrokerClientIDBinding connects under the client id of another device.
var BrokerClientIDBinding = &check.Check{
	ID:    "security.broker-clientid-binding",
	Title: "Binds the client id to the credentials",
	Why: "A broker ends the older of two connections with one id. " +
		"Whoever may choose the id can throw any device off line, take its session, and read what is queued for it.",
	Pass:         "a CONNECT with the client id of device B and the credentials of A is not accepted, and B stays connected and served",
	Fix:          "derive the client id from the certificate or user name, or refuse ids that do not fit it",
	Severity:     check.Blocker,
	Requirements: []string{"CRA:I.2d", "API10:API2"},
	Rows:         []string{"broker.clientid-cert"},
	Sources:      []string{"AWS IoT Device Defender audit: shared and conflicting client ids", "MQTT 5.0 section 5.4.2"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT, Clients: 2},
	Impact:       check.Observes,
	Typical:      3 * time.Second,
	Limit:        time.Minute,
	Run:          brokerClientIDBinding,
}

// borrowed is what became of A under the id of B.
type borrowed struct {
	a, b        string
	accepted    bool
	kicked      bool  // B lost its connection
	served      error // nil: B is served
	first, last int
}

func brokerClientIDBinding(ctx context.Context, t *check.T) error {
	room, err := t.Room(ctx, 1)
	if err != nil {
		return err
	}
	owner, err := t.Join(ctx, room, 0)
	if err != nil {
		return err
	}
	i := borrowed{b: owner.ClientID(), first: t.Log.Len()}
	for _, a := range t.Cloud.Identities(2) {
		if a.ID == i.b {
			continue
		}
		healthy, err := t.Cloud.Join(ctx, a) // the same credentials under their own id: the positive control
		if err != nil {
			return check.Refuses(err)
		}
		healthy.Disconnect(0)
		i.a = a.ID
		t.Step("connect with the credentials of %s as client %q", a.ID, i.b)
		c, err := t.Cloud.Dial(ctx, a, func(o *client.Options) { o.ClientID = i.b })
		if err != nil {
			return check.Refuses(err)
		}
		ack, err := c.Connect(ctx)
		i.accepted = err == nil && ack.Code == 0
		_ = owner.Quiet(ctx, 500*time.Millisecond) // a takeover would end it
		i.kicked = owner.Ended() != nil
		break
	}
	if !i.kicked {
		i.served = testbed.Echo(ctx, owner, room.Topic("echo"))
	}
	i.last = t.Log.Len() - 1
	if ctx.Err() == nil {
		t.Find(judgeBorrowed(i)...)
	}
	return ctx.Err()
}

func judgeBorrowed(i borrowed) []check.Finding {
	f := check.Finding{Evidence: check.Range(i.first, i.last, i.a+" connects as "+i.b)}
	switch {
	case i.kicked:
		f.Title = "Throws a device off line for a client with other credentials"
		f.Seen = fmt.Sprintf("%s lost its connection when %s connected with its client id", i.b, i.a)
	case i.accepted:
		f.Title = "Accepts the client id of another device"
		f.Seen = fmt.Sprintf("%s was accepted with the client id %q", i.a, i.b)
	case i.served != nil:
		f.Title = "Stops serving a device when another tries its client id"
		f.Seen = i.served.Error()
	default:
		return nil
	}
	return []check.Finding{f}
}
