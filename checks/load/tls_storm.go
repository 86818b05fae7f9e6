package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/world/client"
)

// TLSStorm has all devices begin a TLS handshake within a second, and looks whether tickets save them the next one.
var TLSStorm = &check.Check{
	ID:    "load.tls-storm",
	Title: "Completes the TLS handshakes of all devices that come at once",
	Why: "A handshake costs a server hundreds of times what a message does. After an outage all devices need one, and where it is not " +
		"finished in time they give up and begin another: the load never ends.",
	Pass: "all devices that begin a handshake within a second complete it at the first try; of ten connections with a ticket that the server " +
		"gave out, all are resumed",
	Fix:          "have room for the handshakes of the whole fleet; share the keys of session tickets among all servers",
	Severity:     check.Major,
	Requirements: []string{"CRA:I.2h"},
	Incidents:    []string{"INC-039"},
	Sources:      []string{"RFC 8446 section 2.2: resumption; a server that gives no tickets is free to"},
	Needs:        check.Needs{Real: product.Cloud, Speaks: product.MQTT},
	Impact:       check.Disturbs,
	Typical:      20 * time.Second,
	Limit:        time.Hour,
	Run:          tlsStorm,
}

// resumptions is how connections went that had a ticket.
type resumptions struct{ tickets, offered, resumed int }

func tlsStorm(ctx context.Context, t *check.T) error {
	if !t.Cloud.Secure() {
		return check.NotApplicable("the cloud is not spoken to over TLS")
	}
	f, err := t.Fleet(ctx)
	if err != nil {
		return err
	}
	l := testbed.Load{Fleet: quiet(f), Shape: "provisioning-storm", For: span(f, 20*time.Second, 1), Blind: true}
	t.Step("%d devices begin a handshake within a second", f.Devices)
	r, err := played(ctx, t, "TLS handshakes all at once", l, showsConnections)
	if err != nil {
		return err
	}
	storm := judgeStorm(r, f.Devices)
	if t.Find(storm...); len(storm) > 0 {
		return nil // who does not take them now does not take one with a ticket either
	}
	o, err := resume(ctx, t, t.Cloud.Operator(f))
	if err != nil {
		return err
	}
	t.Measure("connections resumed", float64(o.resumed), "", "")
	t.Find(judgeTickets(o)...)
	return nil
}

// resume connects one after the other with the tickets of the connections before.
func resume(ctx context.Context, t *check.T, who product.Client) (o resumptions, err error) {
	version, err := t.Cloud.Version(ctx, who)
	if err != nil {
		return o, err
	}
	t.Step("connect 11 times with the tickets that the server gives")
	cache := &tickets{ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	for range 11 {
		had := cache.put.Load()
		c, err := t.Cloud.Join(ctx, who, func(o *client.Options) {
			o.Version, o.TLS.ClientSessionCache = version, cache
		})
		if err != nil {
			return o, check.Refuses(err)
		}
		if had > 0 {
			o.offered++
			if c.Resumed() {
				o.resumed++
			}
		}
		c.Disconnect(0)
	}
	o.tickets = int(cache.put.Load())
	return o, nil
}

// tickets counts what a server gave out.
type tickets struct {
	tls.ClientSessionCache
	put atomic.Int64
}

// Put keeps a ticket; nil forgets one.
func (c *tickets) Put(key string, s *tls.ClientSessionState) {
	if s != nil {
		c.put.Add(1)
	}
	c.ClientSessionCache.Put(key, s)
}

func judgeStorm(r *series.Record, devices int) []check.Finding {
	n := r.Totals.Counts
	up := atEnd(r)
	if n[series.Broken]+n[series.Refused] == 0 && up >= devices {
		return nil
	}
	title := "Keeps devices waiting that come all at once"
	switch {
	case n[series.Broken] > 0:
		title = "Breaks handshakes off when all devices come at once"
	case n[series.Refused] > 0:
		title = "Turns devices away whose handshakes come all at once"
	}
	return []check.Finding{{
		Title: title,
		Seen: fmt.Sprintf("%d of %d attempts to connect ended without an answer, %d were refused; %d of %d devices were connected in the end%s",
			n[series.Broken], n[series.Attempts], n[series.Refused], up, devices, reasons(r)),
	}}
}

func judgeTickets(o resumptions) []check.Finding {
	if o.resumed >= o.offered {
		return nil
	}
	return []check.Finding{{
		Severity: check.Minor, Title: "Gives out tickets that it does not take",
		Expected: "a connection with a ticket that the server gave out a moment ago is resumed",
		Seen:     fmt.Sprintf("%d of %d connections with a ticket were resumed; %d tickets were given out", o.resumed, o.offered, o.tickets),
	}}
}
