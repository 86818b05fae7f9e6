// Package testbed puts one run's world together: the real part with its driver, the stand-ins around it, and the links between
// them, which can be impaired. Everything that is done to this world is undone by Close, in reverse order.
package testbed

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/shakedown-test/shakedown/artefact"
	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/link/frame"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/dhcp"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/origin"
	"github.com/shakedown-test/shakedown/world/pki"
	"github.com/shakedown-test/shakedown/world/websocket"
)

// Config is what one testbed is made of.
type Config struct {
	Product *product.Product
	Variant product.Variant
	Real    product.Role     // the role of the part under test
	Speaks  product.Protocol // what that part must speak; empty: anything. For HTTP and WS the world is arranged otherwise than for MQTT
	Proxied bool             // the device is given an HTTP proxy, and nothing else leads to its API
	Kinds   driver.Kinds
	PKI     *pki.Authority // one per run, so that a device is given its roots once
	Clock   *clock.Clock
	Log     *evidence.Log
	Seed    uint64
	Dir     string   // for state and key files; removed by Close
	Defects []string // planted in the reference product
	Ask     func(ctx context.Context, question string) (string, error)
	Tell    func(line string)
	Shelf   *artefact.Shelf                // of the artefacts that are open already; nil: each is opened anew
	Play    Player                         // plays fleets; nil: this process does
	Capture func(access *frame.Link) error // is given the device's own link as soon as there is one; nil: not captured
}

// Bed is a testbed. Which of its fields are set depends on what is real: with a real device, the link it connects through, the
// endpoint and the broker that stand in for its cloud; with a real cloud, the cloud; with artefacts, what is in them.
type Bed struct {
	Product *product.Product
	Variant product.Variant
	Clock   *clock.Clock
	Log     *evidence.Log
	Rand    *rand.Rand
	PKI     *pki.Authority

	World    *internet.World // where the device is; nil: on the machine's loopback, or wherever it connects from
	Access   *frame.Link     // the device's own link to its home network; up is from the device. Nil without World
	DNS      *Names          // nil without World
	NTP      *TimeServers    // nil without World
	DHCP     *dhcp.Server    // of the home network; nil without World
	Device   *Device
	Link     *link.Stream // the same connection at TCP level
	Endpoint *endpoint.Endpoint
	Broker   *broker.Broker
	Gate     *websocket.Gate // before Broker, where the device comes to it over WebSocket; else nil
	Web      *Web            // the device's HTTP API; nil: it has no link to one
	Proxy    *Proxy          // that the device was given; nil: none
	CoAP     *origin.Server  // of a device that speaks CoAP, for which Link, Endpoint and Broker are nil

	Artefacts []*artefact.Facts // the files and endpoints under test, where they are what is real, in the order of the product file

	Cloud      *Cloud
	CoAPServer *CoAPServer // a real cloud of which CoAP is asked; Cloud is nil then

	cfg       Config
	tokens    atomic.Int64 // bearer tokens given out
	elsewhere int          // servers beside Web
	mu        sync.Mutex
	undos     []func()

	cloudAt netip.AddrPort
	told    string // URL of the proxy that the network tells of; empty: none
}

// Open puts a testbed together. The real part is not started yet.
func Open(cfg Config) (*Bed, error) {
	b := &Bed{
		Product: cfg.Product, Variant: cfg.Variant, Clock: cfg.Clock, Log: cfg.Log, PKI: cfg.PKI, cfg: cfg,
		Rand: rand.New(rand.NewPCG(cfg.Seed, 0x5ad)),
	}
	part := cfg.Product.PartFor(cfg.Real, cfg.Speaks)
	if part == nil {
		return nil, fmt.Errorf("open testbed: product %q has no real part of role %s that speaks %q", cfg.Product.Name, cfg.Real, cfg.Speaks)
	}
	var err error
	if b.cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil { // the part may go to another folder
		return nil, fmt.Errorf("open testbed: %w", err)
	}
	if err := os.MkdirAll(b.cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open testbed: %w", err)
	}
	b.Undo(func() { os.RemoveAll(b.cfg.Dir) })
	speaks := cfg.Speaks
	if looked(cfg.Real) {
		err = b.openArtefacts()
	} else if datagrams := speaks == product.COAP || speaks == product.COAPS || speaks == product.DTLS; datagrams && cfg.Real == product.Cloud {
		err = b.openCoAPServer(*part)
	} else if datagrams {
		err = b.openCoAP(*part)
	} else if cfg.Real == product.Device || cfg.Real == product.Gateway {
		err = b.openDevice(*part)
	} else {
		err = b.openCloud(*part)
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("open testbed for %s %q: %w", part.Role, part.Name, err)
	}
	return b, nil
}

// looked says whether parts of a role are looked at, not run.
func looked(r product.Role) bool {
	return r.Artefact() || r == product.Artefact || r == product.Inspected
}

// Undo has f called by Close, before everything that was registered earlier.
func (b *Bed) Undo(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.undos = append(b.undos, f)
}

// Impair takes the undo of an impairment or of a broker rule, sees to it that it is called at the latest by Close, and returns it
// for healing earlier. Undoing twice is harmless.
func (b *Bed) Impair(undo func()) (heal func()) {
	var once sync.Once
	heal = func() { once.Do(undo) }
	b.Undo(heal)
	return heal
}

// Close heals and stops everything. It may be called more than once.
func (b *Bed) Close() {
	for {
		b.mu.Lock()
		n := len(b.undos)
		if n == 0 {
			b.mu.Unlock()
			return
		}
		f := b.undos[n-1]
		b.undos = b.undos[:n-1]
		b.mu.Unlock()
		f()
	}
}

// openDevice plays the cloud for a real device: its broker, its API, or both.
func (b *Bed) openDevice(part product.Part) error {
	l := b.Product.LinkOf(part.Name, product.MQTT)
	if b.cfg.Speaks == product.WS || b.cfg.Speaks == product.WSS {
		l = b.Product.LinkOf(part.Name, product.WS)
	}
	if l == nil && !b.Product.Speaks(part.Name, product.HTTP) {
		return fmt.Errorf("it has no link that it can be seen through\nhint: add a link of protocol mqtt, mqtts, http or https from %s in the product file", part.Name)
	}
	var err error
	if l != nil {
		err = b.openBroker(part, l)
	}
	if err == nil {
		err = b.openWeb(part)
	}
	if err != nil {
		return err
	}
	if b.Link == nil {
		b.Link = b.Web.Link
	}
	b.Device, err = b.unit(part, 1)
	return err
}

// openBroker plays the MQTT side of a device's cloud.
func (b *Bed) openBroker(part product.Part, l *product.Link) error {
	listen, err := b.listen(part, l.Protocol)
	if err != nil {
		return fmt.Errorf("listen for it: %w", err)
	}
	stream, err := link.NewStream(l.Name, listen, b.Clock, b.Log)
	if err != nil {
		return fmt.Errorf("listen for it: %w", err)
	}
	b.Link = stream
	b.Undo(func() { stream.Close() })

	b.Broker = broker.New(broker.Options{Part: l.To, Clock: b.Clock, Log: b.Log})
	b.Undo(b.Broker.Close)

	var tls *endpoint.TLS
	if l.Protocol == product.MQTTS || l.Protocol == product.WSS {
		cert, err := b.PKI.Server(pki.Good, part.Host)
		if err != nil {
			return fmt.Errorf("issue the endpoint's certificate: %w", err)
		}
		tls = &endpoint.TLS{Certificate: cert}
	}
	handle := b.Broker.Serve
	if l.Protocol == product.WS || l.Protocol == product.WSS {
		b.Gate = websocket.New(websocket.Options{Part: l.To, Clock: b.Clock, Log: b.Log, Serve: b.Broker.Serve})
		handle = b.Gate.Handle
	}
	b.Endpoint = endpoint.New(endpoint.Options{
		Part: l.To, Clock: b.Clock, Log: b.Log, Stream: stream, TLS: tls, Handle: handle,
	})
	b.Undo(func() { b.Endpoint.Close() })
	return nil
}

// Unit opens another unit of the device under test, with an identity and state of its own, on the same endpoint. Units are numbered
// from 1, which is Bed.Device.
func (b *Bed) Unit(n int) (*Device, error) { return b.unit(b.Device.Part, n) }

func (b *Bed) unit(part product.Part, n int) (*Device, error) {
	d := &Device{Part: part, ID: fmt.Sprintf("shakedown-%d", n), bed: b}
	state := filepath.Join(b.cfg.Dir, d.ID)
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	values, err := b.values(part, d.ID, state)
	if err != nil {
		return nil, err
	}
	at, err := b.join(d, n)
	if err != nil {
		return nil, err
	}
	d.drv, err = driver.Open(b.cfg.Kinds, driver.Env{
		Clock: b.Clock, Log: b.Log, Part: part, Variant: b.Variant, Seed: b.cfg.Seed + uint64(n), State: state, Values: values,
		Defects: b.cfg.Defects, Ask: b.cfg.Ask, Tell: b.cfg.Tell, Host: at.host, Place: at.place, Resolvers: b.resolvers(),
	})
	if err != nil {
		return nil, err
	}
	b.Undo(func() { d.drv.Close() })
	return d, d.prepare()
}

// values fills the placeholders of a device and writes the files that they name.
func (b *Bed) values(part product.Part, id, state string) (map[string]string, error) {
	client, err := b.PKI.Client(id, b.Clock.Now().AddDate(1, 0, 0))
	if err != nil {
		return nil, fmt.Errorf("issue the device's certificate: %w", err)
	}
	cert, key, err := pki.ClientPEM(client)
	if err != nil {
		return nil, err
	}
	v := map[string]string{
		"device.id": id, "state.dir": state, "broker.transport": "tcp",
		"ca.file": b.file(id, "ca"), "client.cert": b.file(id, "cert"), "client.key": b.file(id, "key"),
		"variant.name": b.Variant.Name, "variant.hardware": b.Variant.Hardware, "variant.firmware": b.Variant.Firmware,
	}
	if b.Gate != nil {
		v["broker.transport"] = "ws"
	}
	b.address(v, part, id)
	for name, value := range b.Variant.Set {
		v["variant."+name] = value
	}
	b.webValues(v)
	for file, data := range map[string][]byte{"ca.file": b.PKI.RootsPEM(), "client.cert": cert, "client.key": key} {
		if err := os.WriteFile(v[file], data, 0o600); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// address adds the placeholders for what the device connects to.
func (b *Bed) address(v map[string]string, part product.Part, id string) {
	what, at := "broker", net.Addr(nil)
	if b.CoAP != nil {
		what, at = "coap", b.CoAP.Addr()
		identity, key := b.psk(part, id)
		v["psk.identity"], v["psk.key"] = identity, hex.EncodeToString(key)
	} else {
		at = b.Link.Addr()
	}
	v[what+".host"], v[what+".port"], _ = net.SplitHostPort(at.String()) // addresses of sockets have both
	v[what+".name"] = part.Host
}

// file is where a device of that id finds what it is given to authenticate with.
func (b *Bed) file(id, what string) string { return filepath.Join(b.cfg.Dir, id+"-"+what+".pem") }
