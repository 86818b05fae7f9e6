package check

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/testbed"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
)

// Fleet starts the cloud and gives the fleet that a check of load has in front of it: that of the product file, or one of 200 devices at a broker
// that is open to anyone. The caller may change it. Pass errors on: they say why the check could not be carried out.
func (t *T) Fleet(ctx context.Context) (*product.Fleet, error) {
	f := t.Cloud.Fleet()
	if f == nil {
		return nil, NotRun("describe the devices under fleet: in the product file: how they prove themselves, what they send, and how many there are",
			"the product file does not say with what identities a fleet could connect")
	}
	if err := t.Cloud.Start(ctx); err != nil {
		return nil, Refuses(err)
	}
	return f, nil
}

// Newcomers starts the cloud and gives as many devices as the fleet has, all of classes that are provisioned; see Fleet.
func (t *T) Newcomers(ctx context.Context) (*product.Fleet, error) {
	if _, err := t.Fleet(ctx); err != nil {
		return nil, err
	}
	f := t.Cloud.Newcomers()
	if f == nil {
		return nil, NotApplicable("no class of the fleet is provisioned: they all come with their identities")
	}
	return f, nil
}

// Requesters starts the cloud and gives as many devices as the fleet has, all of classes that send over HTTP; see Fleet.
func (t *T) Requesters(ctx context.Context) (*product.Fleet, error) {
	f := t.Cloud.Requesters()
	if f == nil {
		return nil, NotApplicable("no class of a fleet is described that sends to the cloud over HTTP")
	}
	if err := t.Cloud.Start(ctx); err != nil {
		return nil, Refuses(err)
	}
	return f, nil
}

// Play has a fleet live in front of the cloud, and gives what it measured, in wall time. The error says that it could not be carried out. When
// this machine could not keep the fleet's schedule, the record says so in Own.Invalid: its counts may be judged, its latencies may not.
func (t *T) Play(ctx context.Context, l testbed.Load) (*series.Record, error) {
	live, end := context.WithCancel(ctx)
	var following sync.WaitGroup
	defer following.Wait()
	defer end()
	watch := l.Watch
	l.Watch = func(c *series.Collector) {
		following.Go(func() { t.follow(live, c) })
		if watch != nil {
			watch(c)
		}
	}
	r, err := t.Cloud.Play(ctx, l)
	if err != nil {
		why, hint, told := strings.Cut(err.Error(), "\nhint: ")
		if !told {
			hint = "see that the cloud runs, and that the identities of the fleet are right"
		}
		return nil, NotRun(hint, "%s", why)
	}
	n := r.Totals.Counts
	t.Record("a fleet of %d devices, %s: %d connections accepted, %d refused, %d failed; %d messages sent, %d acknowledged, %d received", l.Fleet.Devices, l.Shape,
		n[series.Accepted], n[series.Refused], n[series.Broken], n[series.Sent], n[series.Acked], n[series.Received])
	t.Measure("devices", float64(l.Fleet.Devices), "", "")
	t.Measure("messages", float64(n[series.Sent]), "", "")
	if why := fleet.Failed(r); why != "" {
		return nil, NotRun("use a smaller fleet, or a machine that lets a program have more sockets", "%s", why)
	}
	return r, nil
}

// LookOn connects an identity that is to see what a fleet sends, in the newest version that the cloud speaks, and subscribes it at QoS 1. What
// hinders it is a not-run.
func (t *T) LookOn(ctx context.Context, who product.Client, filters []string, change ...func(*client.Options)) (*client.Conn, error) {
	version, err := t.Cloud.Version(ctx, who)
	if err != nil {
		return nil, err
	}
	if version == 0 {
		return nil, NotRun(refusedHint, "the cloud accepts %q in no MQTT version", who.ID)
	}
	c, err := t.Cloud.Join(ctx, who, append([]func(*client.Options){func(o *client.Options) { o.Version = version }}, change...)...)
	if err != nil {
		return nil, Refuses(err)
	}
	var subs []mqtt.Subscription
	for _, f := range filters {
		subs = append(subs, mqtt.Subscription{Filter: f, QoS: 1})
	}
	if len(subs) == 0 {
		return c, nil
	}
	return c, Subscribed(ctx, c, subs...)
}

// follow says once a second how it goes.
func (t *T) follow(ctx context.Context, c *series.Collector) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if p, ok := c.Latest(); ok {
			if !t.Cloud.Alone() {
				p.Held = 0
			}
			t.progress(now(p))
		}
	}
}

// now is a second of a fleet in one line.
func now(p series.Point) string {
	text := fmt.Sprintf("%d of %d up, %d messages/s", p.Connected, p.Devices, p.Counts[series.Sent])
	for _, l := range p.Latencies {
		if l.Timing == series.Ack || l.Timing == series.Connect {
			text += fmt.Sprintf(", %s p99 %.3g ms", l.Timing, l.P99*1e3)
		}
	}
	if n := p.Counts[series.Refused] + p.Counts[series.Broken] + p.Counts[series.Dropped] + p.Counts[series.Rejected]; n > 0 {
		text += fmt.Sprintf(", %d failures", n)
	}
	if p.Held > 0 && p.Devices > 0 {
		text += fmt.Sprintf(", %.1f KiB each", float64(p.Held)/float64(p.Devices)/1024)
	}
	return text
}
