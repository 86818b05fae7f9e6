package fleet

import (
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/wire/mqtt"
)

// class is a product.Class ready for use.
type class struct {
	product.Class
	speaks    speaks
	version   mqtt.Version
	datagrams bool
	socket    bool // WebSocket
	carried   bool // always with goroutines
	tls       *tls.Config
	dtls      bool // by tls, or by the key of the device
	files     *product.Identities
	names     []string // that texts can have, beside the usual words
	certified bool     // its devices have certificates
	provision []*call
	updates   []*call
	who       *identity
	will      *post
	posts     []*post
	commands  []*post
	answers   []*post
	filters   []*payload.Template
}

// post is a product.Post ready for use.
type post struct {
	topic, payload *payload.Template
	qos            byte
	retain         bool
	media          media
	every          time.Duration
	poisson        bool
	day            []float64
}

// newClass makes a class of so many devices ready.
func (p *plan) newClass(spec *product.Class, devices int) (*class, error) {
	c := &class{Class: *spec, version: mqtt.V311}
	transport := c.Transport
	if transport == "" {
		transport = p.job.Target.Scheme
	}
	if c.Version == mqtt.V5.String() {
		c.version = mqtt.V5
	}
	switch transport {
	case product.MQTT, product.MQTTS, product.WS, product.WSS:
		c.speaks = speaksMQTT{c.version}
	case product.COAP:
		c.speaks, c.datagrams = newCoAP(p.job.Target.Host), true
	case product.COAPS:
		c.speaks, c.datagrams, c.carried, c.dtls = newCoAP(p.job.Target.Host), true, true, true
	case product.HTTP, product.HTTPS:
		c.speaks = newHTTP(p.job.Target, transport)
	default:
		return nil, fmt.Errorf("transport %s: a fleet does not speak it yet", transport)
	}
	c.socket = transport == product.WS || transport == product.WSS
	if transport == product.MQTTS || transport == product.WSS || transport == product.HTTPS || c.dtls {
		c.tls = p.tls(c.Class.TLS)
	}
	if transport == product.HTTPS {
		c.tls.NextProtos = []string{"http/1.1"}
	}
	err := c.identify(p, devices)
	if err != nil {
		return nil, err
	}
	if spec.Will != nil {
		if c.will, err = newPost(*spec.Will, c.names); err != nil {
			return nil, fmt.Errorf("will: %w", err)
		}
	}
	for k, t := range spec.Telemetry {
		one, err := newPost(t.Post, c.names)
		if err != nil {
			return nil, fmt.Errorf("telemetry %d: %w", k+1, err)
		}
		one.every, one.poisson, one.day = time.Duration(t.Every), t.Pace == "poisson", t.Day
		c.posts = append(c.posts, one)
	}
	if _, ok := c.speaks.(speaksMQTT); !ok {
		if err := c.onlyRequests(); err != nil {
			return nil, err
		}
	}
	if c.datagrams {
		if err := p.tooFast(c, messageIDs, exchangeLifetime); err != nil {
			return nil, err
		}
	}
	for k, a := range spec.Commands {
		if err := c.addCommand(a); err != nil {
			return nil, fmt.Errorf("command %d: %w", k+1, err)
		}
	}
	for _, f := range spec.Subscribe {
		t, err := payload.Compile(f.Topic, payload.Bytes, 0, c.names...)
		if err != nil {
			return nil, fmt.Errorf("subscribe %s: %w", f.Topic, err)
		}
		c.filters = append(c.filters, t)
	}
	return c, nil
}

// identify reads what the files of a class say, and makes its identities and its calls ready.
func (c *class) identify(p *plan, devices int) (err error) {
	open := p.job.Open
	if open == nil {
		open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
	}
	if c.files, err = c.Identities(devices, time.Now(), open); err != nil {
		return err
	}
	c.names = c.files.Names()
	c.certified = c.Identity.CA != "" || c.Identity.Cert != ""
	if c.who, err = newIdentity(c.Identity, c.names, c.Taken()); err != nil {
		return err
	}
	if c.provision, err = p.newCalls(c.Provision, c.names); err != nil {
		return fmt.Errorf("provision: %w", err)
	}
	if c.updates, err = p.newCalls(c.Update, c.names); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

func (c *class) addCommand(a product.Answered) error {
	command, err := newPost(a.Post, c.names)
	if err != nil {
		return err
	}
	command.every = time.Duration(a.Every)
	var answer *post
	if a.Answer != nil {
		if answer, err = newPost(*a.Answer, c.names); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
	}
	c.commands, c.answers = append(c.commands, command), append(c.answers, answer)
	return nil
}

func newPost(p product.Post, names []string) (*post, error) {
	topic, err := payload.Compile(p.Topic, payload.Bytes, 0, names...)
	if err != nil {
		return nil, fmt.Errorf("topic: %w", err)
	}
	text, err := payload.Compile(p.Payload, p.Encoding, p.Size, names...)
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	return &post{topic: topic, payload: text, qos: byte(p.QoS), retain: p.Retain, media: mediaOf(p)}, nil
}

func (p *plan) tls(o *product.ClassTLS) *tls.Config {
	t := p.job.Target
	cfg := &tls.Config{RootCAs: t.Roots, ServerName: t.Name}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(t.Host)
	}
	if o == nil {
		return cfg
	}
	switch o.Version {
	case "1.2":
		cfg.MaxVersion = tls.VersionTLS12
	case "1.3":
		cfg.MinVersion = tls.VersionTLS13
	}
	return cfg
}

// pause is how long a device waits before it tries again, after so many tries.
func (c *class) pause(tries int, r *rand.Rand) time.Duration {
	b := product.Backoff{First: product.Duration(time.Second), Factor: 2, Cap: product.Duration(time.Minute), Jitter: "full"}
	if c.Backoff != nil {
		b = *c.Backoff
	}
	d := min(float64(b.First)*math.Pow(b.Factor, float64(tries)), float64(b.Cap))
	switch b.Jitter {
	case "full":
		d *= r.Float64()
	case "equal":
		d *= 0.5 + r.Float64()/2
	}
	return time.Duration(d)
}
