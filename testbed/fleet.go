package testbed

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

// Load is what a check has a fleet do in front of the cloud. All times are device time.
type Load struct {
	Fleet    *product.Fleet
	Shape    string                  // one of fleet.Shapes; default steady
	For      time.Duration           // how long
	Drain    time.Duration           // how long what is under way must have arrived before the load ends; default 2 s
	Within   time.Duration           // how long is waited for what does not arrive; default 10 s, and 5 s of wall time at least
	Blind    bool                    // nobody subscribes to what the fleet sends
	Requests bool                    // in front of the cloud's HTTP API, where its endpoint is another
	Notice   string                  // with what messages for all begin; see fleet.Job
	Again    bool                    // each device makes its provisioning calls twice, as if the first answers had been lost
	Watch    func(*series.Collector) // is given what is collected when it begins; may be nil
}

// Player plays a fleet and gives the record of it; see fleet.Do.
type Player func(ctx context.Context, job fleet.Job, watch func(*series.Collector)) (*series.Record, error)

// Fleet is the fleet of the product file, or, at an MQTT broker that is open to anyone, one of 200 devices with a message of 128 bytes every ten
// seconds at QoS 1. It is nil where there is neither: nobody knows how devices prove themselves. Classes without a share are not in it. The
// caller may change it.
func (c *Cloud) Fleet() *product.Fleet {
	return c.fleet(func(k *product.Class) float64 { return k.Share })
}

// Newcomers are as many devices as the fleet has, all of classes that are provisioned and then connect to the cloud's endpoint. Without such
// classes it is nil.
func (c *Cloud) Newcomers() *product.Fleet {
	return c.only(func(k *product.Class) bool {
		return len(k.Provision) > 0 && (k.Transport == "" || !c.speaks.Carries(product.MQTT) || k.Transport.Carries(product.MQTT))
	})
}

// Requesters are as many devices as the fleet has, all of classes that send over HTTP; see Load.Requests. Without such classes, or where it is
// not known where they send to, it is nil.
func (c *Cloud) Requesters() *product.Fleet {
	if c.api == "" && !c.speaks.Carries(product.HTTP) {
		return nil
	}
	return c.only(func(k *product.Class) bool {
		return len(k.Telemetry) > 0 && cmp.Or(k.Transport, c.speaks).Carries(product.HTTP)
	})
}

// only is the fleet of the product file with some of its classes, which share all devices; nil: it has none of them.
func (c *Cloud) only(is func(*product.Class) bool) *product.Fleet {
	sum, many := 0.0, 0.0
	if f := c.bed.Product.Fleet; f != nil {
		for i := range f.Classes {
			if k := &f.Classes[i]; is(k) {
				sum, many = sum+k.Share, many+1
			}
		}
	}
	if many == 0 {
		return nil
	}
	return c.fleet(func(k *product.Class) float64 {
		switch {
		case !is(k):
			return 0
		case sum == 0:
			return 1 / many
		}
		return k.Share / sum
	})
}

// fleet is that of the product file or the usual one, of the classes that have a share.
func (c *Cloud) fleet(share func(*product.Class) float64) *product.Fleet {
	f := c.bed.Product.Fleet
	if f == nil && c.speaks.Carries(product.MQTT) && c.Open() {
		f = product.DefaultFleet()
		f.Devices = 200
	}
	if f == nil {
		return nil
	}
	own := *f
	own.Classes = nil
	for i := range f.Classes {
		k := f.Classes[i].Clone()
		if k.Share = share(&f.Classes[i]); k.Share > 0 {
			own.Classes = append(own.Classes, k)
		}
	}
	return &own
}

// Play plays a fleet in front of the cloud, over sockets of the kernel. Latencies and seconds in the record are wall time. The error says that
// it could not be carried out.
func (c *Cloud) Play(ctx context.Context, l Load) (*series.Record, error) {
	job := fleet.Job{
		Target: fleet.Target{Scheme: c.speaks, Host: c.Addr, Path: l.Fleet.Path, API: c.api}, Fleet: c.hastened(l.Fleet), To: l.Fleet.Devices, Shape: l.Shape,
		For: c.bed.Clock.Wall(l.For), Drain: max(5*time.Second, c.bed.Clock.Wall(10*time.Second)), Settle: c.bed.Clock.Wall(cmp.Or(l.Drain, 2*time.Second)),
		Speed: float64(c.bed.Clock.Device(time.Hour)) / float64(time.Hour), Seed: c.bed.cfg.Seed, Watch: !l.Blind, Again: l.Again, Notice: l.Notice,
	}
	if l.Within > 0 {
		job.Drain = c.bed.Clock.Wall(l.Within)
	}
	job.Drain = max(job.Drain, 2*job.Settle)
	if job.Shape == "" {
		job.Shape = product.Shapes[0].Name
	}
	if c.secure != nil {
		job.Target.Name, job.Target.Roots, job.Target.CA = c.secure.ServerName, c.secure.RootCAs, c.roots
	}
	if l.Requests && !c.speaks.Carries(product.HTTP) {
		var err error
		if job.Target, err = c.atAPI(); err != nil {
			return nil, err
		}
	}
	play := c.bed.cfg.Play
	if play == nil {
		play = fleet.Do
	}
	r, err := play(ctx, job, l.Watch)
	if err != nil {
		return nil, err
	}
	if !c.Alone() {
		r.Cost, r.Own.CPU = nil, 0
	}
	if n := r.Totals.Counts; n[series.BytesIn] > 0 {
		c.bed.Log.Add(evidence.Event{
			Part: c.Part.Name, Kind: evidence.Bytes, Size: int(n[series.BytesIn]),
			Text: fmt.Sprintf("sent %d bytes to %d devices", n[series.BytesIn], l.Fleet.Devices),
		})
	}
	return r, nil
}

// Alone reports whether fleets have their processes to themselves. Where they have not, other jobs run beside them, and perhaps the cloud itself:
// what their process takes of the machine says nothing of a device.
func (c *Cloud) Alone() bool { return c.bed.cfg.Play != nil }

// atAPI is the cloud's HTTP API as a target. Its certificate is verified as that of the endpoint is, with the name in its URL.
func (c *Cloud) atAPI() (fleet.Target, error) {
	u, err := url.Parse(c.api)
	if err != nil {
		return fleet.Target{}, fmt.Errorf("read the URL of the API: %w", err)
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	t := fleet.Target{Scheme: product.Protocol(u.Scheme), Host: net.JoinHostPort(u.Hostname(), port), Path: u.Path, Name: u.Hostname(), API: c.api}
	if c.secure != nil {
		t.Roots, t.CA = c.secure.RootCAs, c.roots
	}
	return t, nil
}

// hastened is a fleet whose times pass as fast as those of the cloud. What it tells the cloud, such as its keep-alive, stays as it is.
func (c *Cloud) hastened(f *product.Fleet) *product.Fleet {
	own := *f
	wall := func(d *product.Duration) { *d = product.Duration(c.bed.Clock.Wall(time.Duration(*d))) }
	own.Connects = f.Connects * float64(c.bed.Clock.Device(time.Second)) / float64(time.Second)
	own.Classes = slices.Clone(f.Classes)
	for i := range own.Classes {
		k := &own.Classes[i]
		k.Telemetry = slices.Clone(k.Telemetry)
		for j := range k.Telemetry {
			wall(&k.Telemetry[j].Every)
		}
		k.Commands = slices.Clone(k.Commands)
		for j := range k.Commands {
			wall(&k.Commands[j].Every)
		}
		if s := k.Sleep; s != nil {
			sleep := *s
			wall(&sleep.Awake)
			wall(&sleep.Asleep)
			k.Sleep = &sleep
		}
		if b := k.Backoff; b != nil {
			back := *b
			wall(&back.First)
			wall(&back.Cap)
			k.Backoff = &back
		}
	}
	return &own
}

// URL is the endpoint as a URL.
func (c *Cloud) URL() string { return string(c.speaks) + "://" + c.Addr }
