package reference

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/reference/sensor"
)

// coapPort is where the sensor can be found in its own network, and allCoAPNodes the group that it is in (RFC 7252 section 12).
const coapPort = 5683

var allCoAPNodes = netip.MustParseAddrPort("224.0.1.187:5683")

// newSensorControl drives one sensor, as control does one thermostat.
func newSensorControl(env driver.Env) *control {
	c := &control{env: env}
	c.build = func() (unit, error) {
		cfg, err := sensorConfig(c)
		return sensor.New(cfg), err
	}
	return c
}

// sensorConfig puts together what the sensor is told. Firmware 1.x has certificates; since 2.0 it has pre-shared keys.
func sensorConfig(c *control) (sensor.Config, error) {
	v, env := c.env.Values, c.env
	cfg := sensor.Config{
		ID: v["device.id"], Firmware: c.firmware(), Name: v["coap.name"], Secure: v["psk.key"] != "", Identity: v["psk.identity"],
		Clock: env.Clock, State: env.State, Seed: env.Seed, Defects: map[string]bool{},
		Out: func(line string) { c.note(evidence.Console, line) },
	}
	for _, id := range env.Defects {
		cfg.Defects[id] = true
	}
	at, err := netip.ParseAddrPort(net.JoinHostPort(v["coap.host"], v["coap.port"]))
	if err != nil {
		return cfg, fmt.Errorf("read the address of its server: %w", err)
	}
	cfg.Server = net.UDPAddrFromAddrPort(at)
	if cfg.Key, err = hex.DecodeString(v["psk.key"]); err != nil {
		return cfg, fmt.Errorf("read its key: %w", err)
	}
	for _, f := range []struct {
		name string
		into *[]byte
	}{{"ca.file", &cfg.Roots}, {"client.cert", &cfg.Cert}, {"client.key", &cfg.CertKey}} {
		if v[f.name] == "" || !strings.HasPrefix(cfg.Firmware, "1.") {
			continue
		}
		if *f.into, err = os.ReadFile(v[f.name]); err != nil {
			return cfg, fmt.Errorf("read %s: %w", f.name, err)
		}
	}
	if env.Host == nil {
		return cfg, errors.New("the sensor has no network")
	}
	any4 := netip.IPv4Unspecified()
	cfg.Listen = func() (net.PacketConn, error) { return env.Host.ListenPacket(netip.AddrPortFrom(any4, 0)) }
	cfg.Local = func() (unicast, group net.PacketConn, err error) { return found(env.Host) }
	return cfg, nil
}

// found opens the sockets at which the sensor can be found: one for what is sent to its own address, one for what is sent to the group.
func found(host *internet.Host) (unicast, group net.PacketConn, err error) {
	has := host.Addresses()
	if len(has) == 0 {
		return nil, nil, errors.New("the sensor has no address")
	}
	if unicast, err = host.ListenPacket(netip.AddrPortFrom(has[0].Addr(), coapPort)); err != nil {
		return nil, nil, err
	}
	if group, err = host.ListenPacket(allCoAPNodes); err != nil {
		unicast.Close()
		return nil, nil, err
	}
	if j, ok := group.(interface{ Join(net.IP) error }); ok {
		err = j.Join(allCoAPNodes.Addr().AsSlice())
	}
	if err != nil {
		unicast.Close()
		group.Close()
		return nil, nil, err
	}
	return unicast, group, nil
}
