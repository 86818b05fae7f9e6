package testbed

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/shakedown-test/shakedown/driver"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
	"github.com/shakedown-test/shakedown/world/client"
	"github.com/shakedown-test/shakedown/world/pki"
)

// Cloud is a real cloud or broker under test.
type Cloud struct {
	Part product.Part
	Addr string // host:port of its MQTT endpoint

	bed     *Bed
	drv     driver.Driver
	api     string // before the paths of a fleet's calls; empty: not told
	speaks  product.Protocol
	secure  *tls.Config // nil: plain
	roots   []byte      // PEM that its certificate is verified with; nil: the machine's
	version mqtt.Version
	numbers *atomic.Int64 // of connections, unique within a job
}

// The errors of a cloud that nothing can be learned from: the first does not take TCP connections, the second turns away a client
// that has every right.
var (
	ErrDown    = errors.New("the cloud does not accept connections")
	ErrRefused = errors.New("the cloud did not accept a healthy client")
)

// A cloud that was started must accept TCP connections within upWait of wall time, one that nobody starts within thereWait.
const (
	upWait    = 10 * time.Second
	thereWait = 2 * time.Second
)

// openCloud prepares a real cloud. It is not started yet.
func (b *Bed) openCloud(part product.Part) error {
	l := b.Product.LinkOf(part.Name, product.MQTT)
	if l == nil && b.cfg.Speaks == "" { // any will do
		l = b.Product.LinkOf(part.Name, "")
	}
	if l == nil {
		return fmt.Errorf("it has no MQTT link\nhint: add a link of protocol mqtt or mqtts to %s in the product file", part.Name)
	}
	c, err := b.cloudOf(part, b.Variant, l.Protocol)
	b.Cloud = c
	return err
}

// Other opens the cloud of another variant of the product beside this one, to compare the two. It is not started yet.
func (c *Cloud) Other(v product.Variant) (*Cloud, error) {
	return c.bed.cloudOf(c.Part, v, c.speaks)
}

func (b *Bed) cloudOf(part product.Part, v product.Variant, speaks product.Protocol) (*Cloud, error) {
	c := &Cloud{Part: part, Addr: part.Address, api: strings.TrimRight(part.API, "/"), bed: b, speaks: speaks, numbers: new(atomic.Int64)}
	if b.Cloud != nil {
		c.numbers = b.Cloud.numbers
	}
	if part.MQTT != nil && part.MQTT.Version == mqtt.V311.String() {
		c.version = mqtt.V311
	} else if part.MQTT != nil && part.MQTT.Version == mqtt.V5.String() {
		c.version = mqtt.V5
	}
	state := filepath.Join(b.cfg.Dir, "cloud-"+v.Name)
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	values := map[string]string{"state.dir": state, "variant.name": v.Name, "variant.hardware": v.Hardware, "variant.firmware": v.Firmware}
	for name, value := range v.Set {
		values["variant."+name] = value
	}
	if c.Addr == "" {
		for _, name := range []string{"listen.port", "api.port"} {
			port, err := freePort()
			if err != nil {
				return nil, fmt.Errorf("find a free port for it: %w", err)
			}
			values[name] = strconv.Itoa(port)
		}
		c.Addr = net.JoinHostPort("127.0.0.1", values["listen.port"])
		if c.api == "" {
			c.api = "http://127.0.0.1:" + values["api.port"]
		}
	}
	if speaks.Secure() {
		if err := c.secureWith(values, state); err != nil {
			return nil, err
		}
	}
	var err error
	c.drv, err = driver.Open(b.cfg.Kinds, driver.Env{
		Clock: b.Clock, Log: b.Log, Part: part, Variant: v, Seed: b.cfg.Seed, State: state, Values: values,
		Defects: b.cfg.Defects, Ask: b.cfg.Ask, Tell: b.cfg.Tell,
	})
	if err != nil {
		return nil, err
	}
	b.Undo(func() { c.drv.Close() })
	return c, nil
}

// secureWith prepares TLS: a part with an address of its own is verified with its CA file, or with the machine's roots when it names
// none; one that is started here is given a certificate of the run's authority.
func (c *Cloud) secureWith(values map[string]string, state string) error {
	c.secure = &tls.Config{ServerName: c.Part.Host, Time: c.bed.Clock.Now}
	if c.Part.Host == "" || c.Part.Host == "localhost" && c.Part.Address != "" { // not told
		c.secure.ServerName = hostOf(c.Addr)
	}
	if c.Part.CA != "" {
		pem, err := os.ReadFile(c.Part.CA)
		if err != nil {
			return fmt.Errorf("read its ca: %w", err)
		}
		c.secure.RootCAs, c.roots = x509.NewCertPool(), pem
		if !c.secure.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("read its ca: %s holds no certificate in PEM form", c.Part.CA)
		}
	}
	if c.Part.Address != "" {
		return nil
	}
	cert, err := c.bed.PKI.Server(pki.Good, c.secure.ServerName)
	if err != nil {
		return fmt.Errorf("issue its certificate: %w", err)
	}
	chain, key, err := pki.ClientPEM(cert)
	if err != nil {
		return err
	}
	values["server.cert"], values["server.key"] = filepath.Join(state, "server-cert.pem"), filepath.Join(state, "server-key.pem")
	values["clients.ca"] = filepath.Join(state, "clients-ca.pem")
	for file, data := range map[string][]byte{"server.cert": chain, "server.key": key, "clients.ca": c.bed.PKI.ClientsPEM()} {
		if err := os.WriteFile(values[file], data, 0o600); err != nil {
			return err
		}
	}
	if c.Part.CA == "" {
		c.secure.RootCAs, c.roots = x509.NewCertPool(), c.bed.PKI.RootsPEM()
		c.secure.RootCAs.AppendCertsFromPEM(c.roots)
	}
	return nil
}

// Start starts the cloud and waits until it accepts TCP connections. Starting a running cloud is no error. The error wraps ErrDown.
func (c *Cloud) Start(ctx context.Context) error {
	if err := c.drv.Start(ctx); err != nil {
		return fmt.Errorf("start %s: %w", c.Part.Name, err)
	}
	if c.speaks == product.COAP || c.speaks == product.COAPS { // nobody accepts datagrams
		return nil
	}
	within := upWait
	if c.Part.Driver == "external" {
		within = thereWait
	}
	wait, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var d net.Dialer
	var why error // not that time was up in the middle of an attempt, if another said more
	for {
		nc, err := d.DialContext(wait, "tcp", c.Addr)
		if err == nil {
			return nc.Close()
		}
		if why == nil || !os.IsTimeout(err) {
			why = err
		}
		pause, stop := context.WithTimeout(wait, 50*time.Millisecond)
		<-pause.Done()
		stop()
		if wait.Err() != nil {
			return fmt.Errorf("%w at %s within %s: %w", ErrDown, c.Addr, within, why)
		}
	}
}

// Restart is an ordered stop and a start; see Start.
func (c *Cloud) Restart(ctx context.Context) error {
	if err := c.drv.Stop(ctx); err != nil {
		return fmt.Errorf("stop %s: %w", c.Part.Name, err)
	}
	return c.Start(ctx)
}

// Plain reports whether its MQTT endpoint is without TLS.
func (c *Cloud) Plain() bool { return c.secure == nil }

// Dial opens a connection with an identity, whose zero value is nobody; CONNECT is not sent yet. The options start as a clean session
// of the version that the cloud speaks, keep-alive 60 s. The connection ends with the testbed.
func (c *Cloud) Dial(ctx context.Context, who product.Client, change ...func(*client.Options)) (*client.Conn, error) {
	o := client.Options{
		Addr: c.Addr, Version: c.version, ClientID: who.ID, User: who.User, Pass: who.Pass, Clean: true, KeepAlive: 60,
		Number: int(c.numbers.Add(1)), Part: c.Part.Name, Clock: c.bed.Clock, Log: c.bed.Log,
	}
	if o.Version == 0 {
		o.Version = mqtt.V5
	}
	if c.secure != nil {
		o.TLS = c.secure.Clone()
		if who.Cert != "" {
			cert, err := tls.LoadX509KeyPair(who.Cert, who.Key)
			if err != nil {
				return nil, fmt.Errorf("read the certificate of client %s: %w", who.ID, err)
			}
			o.TLS.Certificates = []tls.Certificate{cert}
		}
	}
	for _, f := range change {
		f(&o)
	}
	conn, err := client.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	c.bed.Undo(conn.Close)
	return conn, nil
}

// Join is Dial and CONNECT. The error wraps ErrRefused when the cloud does not accept the client.
func (c *Cloud) Join(ctx context.Context, who product.Client, change ...func(*client.Options)) (*client.Conn, error) {
	conn, err := c.Dial(ctx, who, change...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	ack, err := conn.Connect(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%w %q: %w", ErrRefused, conn.ClientID(), err)
	case ack.Code != 0:
		return nil, fmt.Errorf("%w %q: %s", ErrRefused, conn.ClientID(), ack.Packet)
	}
	return conn, nil
}

// Speaks reports whether the cloud accepts who in a version. The error is ctx's.
func (c *Cloud) Speaks(ctx context.Context, v mqtt.Version, who product.Client) (bool, error) {
	conn, err := c.Join(ctx, who, func(o *client.Options) { o.Version = v })
	if err != nil {
		return false, ctx.Err()
	}
	conn.Disconnect(0)
	return true, nil
}

// Version is the newest MQTT version that the cloud accepts, as declared or found out with connections of who. It is 0 when the cloud
// accepts who in none; the error is ctx's.
func (c *Cloud) Version(ctx context.Context, who product.Client) (mqtt.Version, error) {
	for _, v := range []mqtt.Version{mqtt.V5, mqtt.V311} {
		if c.version != 0 {
			break
		}
		ok, err := c.Speaks(ctx, v, who)
		if err != nil {
			return 0, err
		}
		if ok {
			c.version = v
		}
	}
	return c.version, nil
}

func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}
