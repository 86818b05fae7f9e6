package reference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/reference/device"
	"github.com/shakedown-test/shakedown/reference/sensor"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// watchdog is how long a crashed device takes to start anew.
const watchdog = 3 * time.Second

// built is the build date of the firmware.
var built = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// Kind is the driver "reference": the device, or the cloud, runs inside this process. Any number can run at once.
func Kind() driver.Kind {
	return driver.Kind{
		Name: "reference",
		Open: open, Artefact: ship, Joins: true,
		Can: []product.Capability{product.PowerCut, product.Restart, product.ConsoleRead, product.Rejoin, "trigger.reboot", "query.version"},
	}
}

func open(env driver.Env) (driver.Driver, error) {
	for _, id := range env.Defects {
		if !known(id) {
			return nil, fmt.Errorf("open reference %s: unknown defect %q", env.Part.Role, id)
		}
	}
	if env.Part.Role == product.Cloud && env.Values["coap.port"] != "" {
		return &coapService{env: env}, nil
	}
	if env.Part.Role == product.Cloud {
		return &service{env: env}, nil
	}
	if env.Values["coap.host"] != "" {
		return newSensorControl(env), nil
	}
	c := &control{env: env}
	c.build = func() (unit, error) {
		cfg, err := c.config()
		return device.New(cfg), err
	}
	return c, nil
}

// unit is a device under power: it runs once.
type unit interface {
	Run(ctx context.Context) error
	Cut()
}

// control drives one device. A Device runs once; every power-on makes another.
type control struct {
	env   driver.Env
	build func() (unit, error)

	mu    sync.Mutex
	unit  unit
	stop  context.CancelFunc // ends the present run in the orderly way
	ended chan struct{}      // closed when it is over; nil when the device is off
	cut   bool               // the run was told to end at once
}

// Start powers the device on.
func (c *control) Start(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		select {
		case <-c.ended:
		default:
			return nil
		}
	}
	u, err := c.build()
	if err != nil {
		return fmt.Errorf("start %s: %w", c.env.Part.Name, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.ended, c.cut = stop, make(chan struct{}), false
	c.unit = u
	c.note(evidence.Power, "start")
	go c.run(ctx, u, c.ended)
	return nil
}

// run keeps a device running until it is told to end. One that crashes is started anew by its watchdog.
func (c *control) run(ctx context.Context, unit unit, ended chan<- struct{}) {
	defer close(ended)
	for {
		err := unit.Run(ctx)
		if err == nil {
			return
		}
		c.note(evidence.Exit, err.Error())
		if !errors.Is(err, device.ErrCrashed) && !errors.Is(err, sensor.ErrCrashed) || c.env.Clock.Sleep(ctx, watchdog) != nil {
			return
		}
		if unit, err = c.build(); err != nil {
			c.note(evidence.Exit, err.Error())
			return
		}
		c.mu.Lock()
		if c.cut {
			c.mu.Unlock()
			return
		}
		c.unit = unit
		c.mu.Unlock()
	}
}

// Stop ends the device in the orderly way: it says goodbye to the server.
func (c *control) Stop(ctx context.Context) error { return c.end(ctx, "stop", (*control).ask) }

// Kill takes the power away.
func (c *control) Kill(ctx context.Context) error { return c.end(ctx, "cut", (*control).unplug) }

// Close ends the device at once.
func (c *control) Close() error { return c.end(context.Background(), "", (*control).unplug) }

func (c *control) ask() { c.stop() }

func (c *control) unplug() {
	c.cut = true
	c.unit.Cut()
	c.stop()
}

// end ends the present run and waits for it.
func (c *control) end(ctx context.Context, word string, how func(*control)) error {
	c.mu.Lock()
	ended := c.ended
	if ended == nil {
		c.mu.Unlock()
		return nil
	}
	if word != "" {
		c.note(evidence.Power, word)
	}
	how(c)
	c.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("end %s: %w", c.env.Part.Name, ctx.Err())
	}
	c.mu.Lock()
	c.ended = nil
	c.mu.Unlock()
	return nil
}

// Trigger makes the device do something: "reboot" is an orderly stop and a start.
func (c *control) Trigger(ctx context.Context, name string, _ map[string]string) error {
	if name != "reboot" {
		return fmt.Errorf("trigger %s: %w", name, driver.ErrCannot)
	}
	if err := c.Stop(ctx); err != nil {
		return err
	}
	return c.Start(ctx)
}

// Query answers "version" with the firmware version.
func (c *control) Query(_ context.Context, name string) (json.RawMessage, error) {
	if name != "version" {
		return nil, fmt.Errorf("query %s: %w", name, driver.ErrCannot)
	}
	return json.Marshal(c.firmware())
}

func (c *control) firmware() string {
	if c.env.Variant.Firmware == "" {
		return "2.1"
	}
	return c.env.Variant.Firmware
}

// config puts together what the device is told. Firmware 1.x speaks MQTT 3.1.1.
func (c *control) config() (device.Config, error) {
	v := c.env.Values
	cfg := device.Config{
		ID: v["device.id"], Firmware: c.firmware(), Host: v["broker.name"], Port: v["broker.port"], Version: mqtt.V5,
		TLS: v["ca.file"] != "", Built: built, Clock: c.env.Clock, Dial: c.dial, State: c.env.State, Seed: c.env.Seed,
		Out:     func(line string) { c.note(evidence.Console, line) },
		Defects: map[string]bool{},
	}
	cfg.WebSocket = v["broker.transport"] == "ws"
	cfg.API, cfg.APIToken, cfg.Proxy = v["web.url"], v["web.token"], v["proxy.url"]
	if c.env.Host != nil {
		cfg.Home = c.env.Host
	}
	if strings.HasPrefix(cfg.Firmware, "1.") {
		cfg.Version = mqtt.V311
	}
	for _, id := range c.env.Defects {
		cfg.Defects[id] = true
	}
	if c.env.Resolvers != nil { // told by DHCP, with the address
		cfg.Net = c.env.Host
		cfg.ListenPacket = c.env.Host.ListenPacket
		if _, domain, ok := strings.Cut(cfg.Host, "."); ok {
			cfg.TimeServers = []string{"ntp." + domain, "ntp2." + domain}
		}
	}
	for _, f := range []struct {
		name string
		into *[]byte
	}{{"ca.file", &cfg.Roots}, {"client.cert", &cfg.ClientCert}, {"client.key", &cfg.ClientKey}} {
		if v[f.name] == "" {
			continue
		}
		data, err := os.ReadFile(v[f.name])
		if err != nil {
			return cfg, fmt.Errorf("read %s: %w", f.name, err)
		}
		*f.into = data
	}
	return cfg, nil
}

// dial connects in place of the device's network. Where that has no DNS, names of the product's domain are the broker, and no other
// exists.
func (c *control) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", addr, err)
	}
	name := strings.ToLower(c.env.Values["broker.name"])
	_, domain, _ := strings.Cut(name, ".")
	host = strings.ToLower(host)
	if net.ParseIP(host) == nil {
		if host != name && (domain == "" || !strings.HasSuffix(host, "."+domain)) {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		host = c.env.Values["broker.host"]
	}
	return c.env.Host.DialContext(ctx, network, net.JoinHostPort(host, port))
}

func (c *control) note(kind evidence.Kind, text string) {
	c.env.Log.Add(evidence.Event{Part: c.env.Part.Name, Kind: kind, Text: text})
}
