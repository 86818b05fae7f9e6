package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/checks/load"
	"github.com/shakedown-test/shakedown/product"
)

// swarmFlags are the flags of swarm.
type swarmFlags struct {
	runFlags
	fleet, shape, ca, metrics string
	devices                   int
	connects                  float64
	length                    time.Duration
	limits                    []string
	step                      bool
	workers, agents           int
	nats                      natsFlags
}

func (a *app) swarmCommand() *cobra.Command {
	var f swarmFlags
	var shapes strings.Builder
	var names []string
	for _, s := range product.Shapes {
		fmt.Fprintf(&shapes, "  %-19s %s\n", s.Name, s.What)
		names = append(names, s.Name)
	}
	c := &cobra.Command{
		Use:   "swarm URL",
		Short: "Put a fleet of devices in front of a real broker or cloud",
		Long: `Puts a fleet in front of a real endpoint, over real connections: thousands of
devices that connect, send, sleep, drop and come back, as the shape says. Every
message is numbered and comes back to a subscriber of Shakedown's own, so that
what is lost, doubled, late or in wrong hands is counted. Latencies count from
when a message was due, whatever the other side does. When this machine can't keep
the schedule, the report says so, and its latencies count for nothing.

URL is mqtt://host:port, or with mqtts, ws, wss, coap, coaps, http or https. What
the devices are and send stands in a fleet file (docs/fleet-file.md); without one
each sends 128 bytes every 10 s at QoS 1, with nothing to prove itself.

Shapes:
` + shapes.String() + `
The verdict is about the limits that are given, in the fleet file or with --limit.
Only test what is yours to test: a fleet is an attack on whom it surprises.

Ctrl-C ends the fleet early, with a report of what was measured until then; a second
one ends all at once. The exit codes are those of run.`,
		Example: `  shakedown swarm mqtt://127.0.0.1:1883 --devices 1000 --for 1m
  shakedown swarm mqtts://broker.example.com:8883 --ca ca.pem --fleet fleet.yaml --shape reconnect-storm \
      --limit 'back < 60 s' --limit 'lost acked = 0' --limit 'connect p99 < 5 s'
  shakedown swarm mqtt://127.0.0.1:1883 --fleet fleet.yaml --step
  shakedown swarm mqtts://broker.example.com:8883 --devices 100000 --nats tls://nats.example.com:4222 --nats-creds swarm.creds`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.swarm(cmd.Context(), args[0], f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.fleet, "fleet", "", "`file` that says what the devices are and what they send")
	fl.IntVar(&f.devices, "devices", 0, "`number` of devices (default: that of the fleet file, or 1000)")
	fl.StringVar(&f.shape, "shape", "", "`shape` of the load over time (default: that of the fleet file, or steady)")
	fl.DurationVar(&f.length, "for", 0, "`time` that it takes (default: that of the fleet file, or 1m)")
	fl.Float64Var(&f.connects, "connect-rate", 0, "new connections a `second` while the fleet joins (default: that of the fleet file, or what gets all there within a quarter of the run)")
	fl.StringArrayVar(&f.limits, "limit", nil, "what must hold, such as 'connect p99 < 5 s'; besides those of the fleet file")
	fl.BoolVar(&f.step, "step", false, "play the fleet with half of its devices, with all, and with 2, 4, 8 … 64 times as many until a limit breaks, and tell the capacity with its interval")
	fl.StringVar(&f.ca, "ca", "", "PEM `file` that the endpoint's certificate is verified with (default: this machine's roots)")
	fl.StringVar(&f.metrics, "metrics", "", "serve the figures at this `address`, such as 127.0.0.1:9100, for Prometheus while it runs")
	fl.IntVar(&f.workers, "workers", 0, fmt.Sprintf("`number` of processes on this machine that play the fleet (default: one for %d devices)", perWorker))
	fl.IntVar(&f.agents, "agents", 0, "`number` of agents that are waited for, with --nats (default: all that are there)")
	f.nats.add(fl, "share the fleet among the agents at this `URL` of a NATS server; see shakedown agent")
	fl.StringVar(&f.out, "out", "", "run `folder` (default shakedown-run-TIME in this folder)")
	fl.BoolVar(&f.keepSecrets, "keep-secrets", false, "do not blank passwords, tokens and keys in what is written")
	fl.Uint64Var(&f.seed, "seed", 0, "`number` that all chance comes from (default: a new one, which is printed)")
	formats(c, &f.format, "json")
	complete(c, "shape", names)
	return c
}

func (a *app) swarm(ctx context.Context, target string, f swarmFlags) error {
	a.thrifty()
	src, err := a.swarmed(target, f)
	if err != nil {
		return err
	}
	p, err := a.parse("the command line", src)
	if err != nil {
		return err
	}
	f.repeat = 1
	o, err := a.options(p, "", f.runFlags)
	if err != nil {
		return err
	}
	o.Risks = ofFleet(a.risks, f.step, time.Duration(p.Fleet.For))
	o.File = target
	o.Command = "shakedown swarm " + strings.Join(quoted(append([]string{target}, f.words()...)), " ")
	player, err := a.newPlayer(f, ctx.Done())
	if err != nil {
		return err
	}
	defer player.close()
	o.Play = player.play
	defer context.AfterFunc(ctx, func() { a.tell("interrupted: the fleet ends here, and what was measured so far is reported") })()
	err = a.begin(context.WithoutCancel(ctx), o, src, f.runFlags)
	if exit := (*exitError)(nil); ctx.Err() != nil && errors.As(err, &exit) && exit.err == nil {
		return &exitError{code: exitInterrupted}
	}
	return err
}

// words are the flags that make the same run again.
func (f *swarmFlags) words() (words []string) {
	for _, w := range []struct{ flag, value string }{{"--fleet", f.fleet}, {"--shape", f.shape}, {"--ca", f.ca}} {
		if w.value != "" {
			words = append(words, w.flag, w.value)
		}
	}
	if f.devices > 0 {
		words = append(words, "--devices", fmt.Sprint(f.devices))
	}
	if f.connects > 0 {
		words = append(words, "--connect-rate", fmt.Sprint(f.connects))
	}
	if f.length > 0 {
		words = append(words, "--for", f.length.String())
	}
	for _, l := range f.limits {
		words = append(words, "--limit", l)
	}
	if f.step {
		words = append(words, "--step")
	}
	if f.workers > 0 {
		words = append(words, "--workers", fmt.Sprint(f.workers))
	}
	if f.agents > 0 {
		words = append(words, "--agents", fmt.Sprint(f.agents))
	}
	return append(words, f.nats.words()...)
}

// What the checks are called that play the fleet as the user wants it.
const (
	limitsCheck   = "load.fleet-limits"
	capacityCheck = "load.capacity"
)

// ofFleet leaves of the risks the one check that the user wants. What it takes follows from the length of the fleet's run.
func ofFleet(risks []check.Risk, step bool, length time.Duration) []check.Risk {
	id := limitsCheck
	if step {
		id = capacityCheck
	}
	risks = slices.Clone(risks)
	for i := range risks {
		var left []*check.Check
		for _, c := range risks[i].Checks {
			if c.ID != id {
				continue
			}
			own := *c
			if own.Typical = length; step {
				own = *load.Climb(length)
			}
			left = append(left, &own)
		}
		risks[i].Checks = left
	}
	return risks
}

// withoutLoad are the risks that a fleet shows nothing of.
func (a *app) withoutLoad() (ids []string) {
	for _, r := range ofFleet(a.risks, false, 0) {
		if len(r.Checks) == 0 {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// maxFleet bounds a fleet file.
const maxFleet = 1 << 20

// swarmed is the product file of a cloud with a fleet in front of it.
func (a *app) swarmed(target string, f swarmFlags) ([]byte, error) {
	at, err := url.Parse(target)
	if err != nil || at.Host == "" {
		return nil, usage(fmt.Errorf("swarm %s: it is no URL\nhint: write it as in mqtts://broker.example.com:8883", target))
	}
	scheme := product.Protocol(at.Scheme)
	port, known := ports[scheme]
	if !known {
		return nil, usage(fmt.Errorf("swarm %s: unknown scheme %s\nhint: %s", target, at.Scheme, product.DidYouMean(at.Scheme, schemes())))
	}
	if at.User != nil {
		return nil, usage(errors.New("swarm: the URL holds a password\nhint: who the devices are stands in the fleet file, under its key identity"))
	}
	if at.Port() == "" {
		at.Host = net.JoinHostPort(at.Hostname(), port)
	}
	own, err := a.fleetFile(f)
	if err != nil {
		return nil, err
	}
	if path := at.EscapedPath(); path != "" && path != "/" {
		own = set(own, "path", path)
	}
	cloud := yaml.MapSlice{{Key: "role", Value: string(product.Cloud)}, {Key: "driver", Value: "external"}, {Key: "address", Value: at.Host}, {Key: "hostname", Value: at.Hostname()}}
	if f.ca != "" {
		cloud = set(cloud, "ca", f.ca)
	}
	p := yaml.MapSlice{
		{Key: "product", Value: target},
		{Key: "parts", Value: yaml.MapSlice{
			{Key: "cloud", Value: cloud},
			{Key: "devices", Value: yaml.MapSlice{{Key: "role", Value: string(product.Device)}, {Key: "driver", Value: "stand-in"}}},
		}},
		{Key: "links", Value: []yaml.MapSlice{{
			{Key: "name", Value: "fleet"}, {Key: "from", Value: "devices"}, {Key: "to", Value: "cloud"}, {Key: "protocol", Value: at.Scheme},
		}}},
		{Key: "fleet", Value: own},
	}
	var left []yaml.MapSlice
	for _, risk := range a.withoutLoad() {
		left = append(left, yaml.MapSlice{{Key: "risk", Value: risk}, {Key: "reason", Value: "a fleet shows nothing of it"}})
	}
	return yaml.Marshal(set(p, "exclude", left))
}

// ports are those of the schemes that a fleet speaks.
var ports = map[product.Protocol]string{
	product.MQTT: "1883", product.MQTTS: "8883", product.WS: "80", product.WSS: "443",
	product.COAP: "5683", product.COAPS: "5684", product.HTTP: "80", product.HTTPS: "443",
}

func schemes() (list []string) {
	for s := range ports {
		list = append(list, string(s))
	}
	slices.Sort(list)
	return list
}

// usualFleet is the fleet where no file is given: product.DefaultFleet.
const usualFleet = `
classes:
  device:
    telemetry:
      - topic: shakedown/{id}/telemetry
        payload: '{"id":"{id}","time":{time},"stamp":"{stamp}","fill":"{fill}"}'
        size: 128
        qos: 1
        every: 10s
`

// fleetFile is the fleet file, or the usual fleet, with what the flags say in place of what stands there.
func (a *app) fleetFile(f swarmFlags) (yaml.MapSlice, error) {
	src := []byte(usualFleet)
	if f.fleet != "" {
		in, err := os.Open(f.fleet)
		if err != nil {
			return nil, usage(fmt.Errorf("read the fleet file: %w", err))
		}
		defer in.Close()
		if src, err = io.ReadAll(io.LimitReader(in, maxFleet+1)); err != nil {
			return nil, usage(fmt.Errorf("read the fleet file: %w", err))
		}
		if _, err := product.LoadFleet(filepath.Base(f.fleet), src, a.known()); err != nil {
			return nil, usage(err)
		}
	}
	var own yaml.MapSlice
	if err := yaml.NewDecoder(bytes.NewReader(src), yaml.UseOrderedMap()).Decode(&own); err != nil {
		return nil, usage(fmt.Errorf("read the fleet file: %w", err))
	}
	if f.devices > 0 {
		own = set(own, "devices", f.devices)
	}
	if f.connects > 0 {
		own = set(own, "connect_rate", f.connects)
	}
	if f.shape != "" {
		own = set(own, "shape", f.shape)
	}
	if f.length > 0 {
		own = set(own, "for", f.length.String())
	}
	if len(f.limits) > 0 {
		limits := []any{}
		for _, item := range own {
			if item.Key == "limits" {
				limits, _ = item.Value.([]any)
			}
		}
		for _, l := range f.limits {
			limits = append(limits, l)
		}
		own = set(own, "limits", limits)
	}
	return own, nil
}

// set sets a key of a mapping.
func set(m yaml.MapSlice, key string, value any) yaml.MapSlice {
	for i := range m {
		if m[i].Key == key {
			m[i].Value = value
			return m
		}
	}
	return append(m, yaml.MapItem{Key: key, Value: value})
}
