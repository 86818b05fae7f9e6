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
	Typical:      3 * time.Minute,
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
	l := testbed.Load{Fleet: quiet(f), Shape: "provisioning-storm", For: span(f, 30*time.Second, 1), Blind: true}
	t.Step("%d devices begin a handshake within a second", f.Devices)
	r, err := played(ctx, t, "TLS handshakes all at once", l, showsConnections)
	if err != nil {
		return err
	}
	storm := judgeStorm(r, f.Devices)
	if n := r.Totals.Counts; len(storm) > 0 && n[series.Broken]+n[series.Refused] == 0 && r.Own.Invalid != "" {
		return check.NotRun("use a machine that is less busy", "devices still waited in the end, and this machine had not kept its own schedule: %s", r.Own.Invalid)
	}
	if t.Find(storm...); len(storm) > 0 {
		return nil // who does not take them now does not take one with a ticket either
	}
	o, err := resume(ctx, t, t.Cloud.Operator(f))
	if err != nil {
		return err
	}
	t.Measure("connections of one client resumed", float64(o.resumed), "", "")
	t.Find(judgeTickets(o)...)
	if o.tickets == 0 {
		t.Record("the server gives out no tickets: a storm with them is not played")
		return nil
	}
	for _, resume := range []bool{false, true} {
		if err := comesBack(ctx, t, f, resume); err != nil {
			return err
		}
	}
	return nil
}

// comesBack cuts the fleet off, and measures how it comes back, with its tickets or without. It finds nothing: a server is free to take no
// ticket, and what devices wait for is judged by others.
func comesBack(ctx context.Context, t *check.T, f *product.Fleet, resume bool) error {
	how := map[bool]string{false: "without tickets", true: "with tickets"}[resume]
	l := testbed.Load{Fleet: resuming(f, resume), Shape: "reconnect-storm", For: span(f, 20*time.Second, 0.3), Blind: true}
	if t.Clock.Device(time.Second) == time.Second {
		l.For = max(l.For, time.Minute)
	}
	t.Step("cut %d devices off together, and see them come back %s", f.Devices, how)
	r, err := t.Play(ctx, l)
	if err == nil {
		err = loaded(t, "All devices come back "+how, l, r, showsConnections)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		t.Record("how devices come back %s is not measured: %v", how, err)
		return nil
	case len(r.Outages) == 0 || r.Outages[0].Devices == 0:
		t.Record("how devices come back %s is not measured: none was connected", how)
		return nil
	}
	cut := r.Outages[0]
	t.Measure("devices back "+how, float64(cut.Devices-cut.Away), "", "")
	t.Measure("of their handshakes, resumed "+how, float64(r.Totals.Counts[series.Resumed]), "", "")
	if r.Own.Invalid != "" {
		t.Record("how long devices took to come back %s is not known: %s", how, r.Own.Invalid)
		return nil
	}
	seconds := func(s float64) time.Duration { return t.Clock.Device(time.Duration(s * float64(time.Second))) }
	t.MeasureTime("last device back "+how, seconds(cut.Back), "")
	for _, k := range []series.Timing{series.Connect, series.TLS} {
		if worst, ok := busiest(r, k, cut.Second); ok {
			t.MeasureTime(fmt.Sprintf("%s p50 %s, in the busiest second", k, how), seconds(worst.P50), "")
			t.MeasureTime(fmt.Sprintf("%s p99 %s, in the busiest second", k, how), seconds(worst.P99), "")
		}
	}
	return nil
}

// resuming leaves a fleet whose devices come back with their tickets, or without.
func resuming(f *product.Fleet, resume bool) *product.Fleet {
	for i := range f.Classes {
		c := &f.Classes[i]
		var own product.ClassTLS
		if c.TLS != nil {
			own = *c.TLS
		}
		own.Resume = resume
		c.TLS = &own
	}
	return f
}

// busiest are the latencies of the second, from one on, that has most of them.
func busiest(r *series.Record, k series.Timing, from int) (most series.Latency, ok bool) {
	for _, p := range r.Points {
		for _, l := range p.Latencies {
			if p.Second >= from && l.Timing == k && l.Count > most.Count {
				most, ok = l, true
			}
		}
	}
	return most, ok
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
