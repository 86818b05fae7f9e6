package cloud

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/broker"
	"github.com/shakedown-test/shakedown/world/clock"
)

// Config is what a cloud is made of.
type Config struct {
	Clock *clock.Clock
	MQTT  net.Listener // for devices and services
	API   net.Listener // for apps, and for devices that come new; nil: no API
	TLS   *tls.Config  // of MQTT; nil: plain. With ClientCAs, a device can prove itself with its certificate in place of a password
	State string       // file that outlives restarts; empty: none
	Out   func(line string)

	Next  bool            // it is the newer version, of which flaws of drift are
	Flaws map[string]bool // planted on purpose, by id
}

// receiveMaximum is how many QoS 1 and 2 messages a client may have in flight.
const receiveMaximum = 20

// Cloud is a running cloud.
type Cloud struct {
	cfg    Config
	store  *store
	broker *broker.Broker
	tasks  sync.WaitGroup
	web    *http.Server
	inner  net.Conn // the consumer's end of its connection
	stop   context.CancelFunc
	writer sync.Mutex // for the flaw of having one for all connections

	closing <-chan struct{} // closed by stop

	arrivals burst        // of clients, for the flaws of refusing a herd
	sessions atomic.Int64 // for the flaw of keeping them all
	leaked   atomic.Int64 // bytes, for the flaw of keeping something of each message
	made     atomic.Int64 // identities, for the flaw of losing some
	spent    atomic.Bool  // for the flaws of an overload without end
}

// Start starts a cloud on the listeners, which it closes in the end. The error is that of reading its state.
func Start(cfg Config) (*Cloud, error) {
	c := &Cloud{cfg: cfg}
	var err error
	if c.store, err = openStore(cfg.State, cfg.Clock); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop, c.closing = stop, ctx.Done()
	c.broker = broker.New(c.options())
	c.plant()
	c.consume()
	c.tasks.Go(c.accept)
	c.tasks.Go(func() { c.heartbeat(ctx) })
	if cfg.API != nil {
		c.web = &http.Server{Handler: c.api(), ReadHeaderTimeout: 10 * time.Second}
		c.tasks.Go(func() { _ = c.web.Serve(cfg.API) })
		cfg.Out("api at http://" + cfg.API.Addr().String())
	}
	cfg.Out("mqtt at " + cfg.MQTT.Addr().String())
	return c, nil
}

func (c *Cloud) options() broker.Options {
	o := broker.Options{
		Part: "cloud", Clock: c.cfg.Clock, Log: evidence.NewLog(c.cfg.Clock.Now, nil, false),
		Authenticate: c.authenticate, Authorize: c.authorize,
	}
	o.ReceiveMaximum, o.TopicAliasMaximum = receiveMaximum, 10
	return o
}

// accept serves MQTT connections until the listener is closed.
func (c *Cloud) accept() {
	for {
		nc, err := c.cfg.MQTT.Accept()
		if err != nil {
			return
		}
		if c.cfg.Flaws["cloud-handshakes-limited"] && c.arrivals.more(c, 30, 10*time.Second) {
			nc.Close()
			continue
		}
		if c.cfg.TLS != nil {
			nc = tls.Server(nc, c.tls())
		}
		c.tasks.Go(func() { c.broker.Serve(c.tamper(nc)) })
	}
}

// tls is the configuration for a connection.
func (c *Cloud) tls() *tls.Config {
	if !c.cfg.Flaws["cloud-tickets-useless"] {
		return c.cfg.TLS
	}
	own := c.cfg.TLS.Clone()
	own.SetSessionTicketKeys([][32]byte{sha256.Sum256([]byte(rand.Text()))}) // that of no other connection
	return own
}

// heartbeat publishes on $-topics, as brokers do, that the cloud is alive and what it keeps in memory.
func (c *Cloud) heartbeat(ctx context.Context) {
	const every = 2 * time.Second
	start := c.cfg.Clock.Now()
	for n := 0; ; n++ {
		if n%5 == 0 {
			c.broker.Publish(broker.Message{
				Topic: "$SYS/broker/uptime", Payload: fmt.Appendf(nil, "%.0f seconds", c.cfg.Clock.Since(start).Seconds()), Retain: true,
			})
		}
		c.broker.Publish(broker.Message{
			Topic: "$SYS/broker/heap/current", Payload: fmt.Appendf(nil, "%d", base+c.broker.Kept()+int(c.leaked.Load())), Retain: true,
		})
		if c.cfg.Clock.Sleep(ctx, every) != nil {
			return
		}
	}
}

// base is what the cloud needs without clients, in bytes.
const base = 256 << 10

// Close stops the cloud, writes its state and waits for everything that it started.
func (c *Cloud) Close() error {
	c.stop()
	c.cfg.MQTT.Close()
	if c.web != nil {
		c.web.Close()
	}
	c.inner.Close()
	c.broker.Close()
	c.tasks.Wait()
	return c.store.save()
}
