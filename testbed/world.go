package testbed

import (
	"net"
	"net/netip"

	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
)

// ports are where the stand-in of a cloud listens in a world, as registered with IANA.
var ports = map[product.Protocol]uint16{product.MQTT: 1883, product.MQTTS: 8883, product.HTTP: 80, product.HTTPS: 443, product.WS: 8083, product.WSS: 8084, product.COAP: 5683, product.COAPS: 5684}

// listen is how the stand-in of a device's cloud gets its listener: in a world of its own at the name that the device is configured with,
// or on a port of this machine.
func (b *Bed) listen(part product.Part, speaks product.Protocol) (link.Listen, error) {
	if !b.cfg.Kinds.Joins(part) {
		address := part.Listen
		if address == "" {
			address = "127.0.0.1:0"
		}
		listen, release, err := link.Reserve(address)
		if err == nil {
			b.Undo(release)
		}
		return listen, err
	}
	at, err := b.openWorld(part)
	if err != nil {
		return nil, err
	}
	if err := b.openNames(part.Host, at); err != nil {
		return nil, err
	}
	if err := b.openTime(part.Host); err != nil {
		return nil, err
	}
	if err := b.openLeases(); err != nil {
		return nil, err
	}
	b.cloudAt = netip.AddrPortFrom(at, ports[speaks])
	return func() (net.Listener, error) { return b.World.Servers.Listen(b.CloudAt()) }, nil
}

// CloudAt is where the stand-in of the device's cloud is in the world.
func (b *Bed) CloudAt() netip.AddrPort {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cloudAt
}

// MoveCloud has the stand-in of the device's cloud listen at another address of the world, which it returns. Connections that are open
// stay so. The name still says the old address, where nobody listens any more.
func (b *Bed) MoveCloud() (netip.Addr, error) {
	at, err := b.World.Name("another address of the cloud")
	if err != nil {
		return at, err
	}
	b.mu.Lock()
	b.cloudAt = netip.AddrPortFrom(at, b.cloudAt.Port())
	b.mu.Unlock()
	return at, b.Link.Move(func() (net.Listener, error) { return b.World.Servers.Listen(b.CloudAt()) })
}

// openWorld makes the world of a device, and gives the name that it is configured with an address there.
func (b *Bed) openWorld(part product.Part) (at netip.Addr, err error) {
	b.World, err = internet.Open(internet.Config{Clock: b.Clock, Log: b.Log, Seed: b.cfg.Seed})
	if err != nil {
		return at, err
	}
	b.Undo(b.World.Close)
	return b.World.Name(part.Host)
}
