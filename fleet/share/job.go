package share

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/fleet"
	"github.com/shakedown-test/shakedown/product"
)

// parcel is a job on its way, with the files of its identities.
type parcel struct {
	Job   fleet.Job         `json:"job"`
	Files map[string][]byte `json:"files,omitempty"`
}

// maxFiles is how many bytes of files travel with a job.
const maxFiles = 256 << 20

// encode writes a job for other processes. With files, those of its identities travel with it.
func encode(job fleet.Job, files bool) ([]byte, error) {
	if job.Target.Roots != nil && len(job.Target.CA) == 0 {
		return nil, errors.New("the certificates that the target is verified with are not there as PEM")
	}
	p := parcel{Job: job}
	if files {
		var err error
		if p.Files, err = pack(job); err != nil {
			return nil, err
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write the job: %w", err)
	}
	return text, nil
}

// pack reads the files of the identities.
func pack(job fleet.Job) (map[string][]byte, error) {
	open := job.Open
	if open == nil {
		open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
	}
	all, room := map[string][]byte{}, maxFiles
	for i := range job.Fleet.Classes {
		c := &job.Fleet.Classes[i]
		for _, name := range namesOf(&c.Identity) {
			if strings.Contains(name, "{") {
				return nil, fmt.Errorf("class %s: %s is a file for each device, which does not travel to other machines\nhint: a CA that signs a certificate for each device, or --workers", c.Name, name)
			}
			if all[name] != nil {
				continue
			}
			r, err := open(name)
			if err != nil {
				return nil, fmt.Errorf("class %s: %w", c.Name, err)
			}
			text, err := io.ReadAll(io.LimitReader(r, int64(room)+1))
			_ = r.Close()
			if err == nil && len(text) > room {
				err = fmt.Errorf("the files of all classes have more than %d MiB", maxFiles>>20)
			}
			if err != nil {
				return nil, fmt.Errorf("class %s: read %s: %w", c.Name, name, err)
			}
			all[name] = text
			room -= len(text)
		}
	}
	return all, nil
}

// namesOf are the files that an identity names.
func namesOf(who *product.Identity) []string {
	return slices.DeleteFunc([]string{who.CSV, who.CA, who.Cert, who.Key}, func(s string) bool { return s == "" })
}

// decode reads a job that another process wrote, and holds it against what a fleet may be: an agent plays for whoever may speak to it. The
// only files that the job can open are those that came with it.
func decode(text []byte) (fleet.Job, error) {
	var p parcel
	if err := strict(text, &p); err != nil {
		return p.Job, fmt.Errorf("read the job: %w", err)
	}
	job := p.Job
	if err := valid(&job); err != nil {
		return job, fmt.Errorf("read the job: %w", err)
	}
	job.Open = func(name string) (io.ReadCloser, error) {
		text, ok := p.Files[name]
		if !ok {
			return nil, fmt.Errorf("%s did not come with the job", name)
		}
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	if len(job.Target.CA) > 0 {
		job.Target.Roots = x509.NewCertPool()
		if !job.Target.Roots.AppendCertsFromPEM(job.Target.CA) {
			return job, errors.New("read the job: its certificates are not PEM")
		}
	}
	return job, nil
}

// What a job of another process may ask for at most.
const (
	maxDevices = 10_000_000
	maxStreams = 100_000_000 // of the whole fleet
	maxList    = 64          // classes, and messages of one
	longest    = 366 * 24 * time.Hour
	maxString  = 256 << 10
)

// bounds collects what is out of its bounds.
type bounds struct{ err error }

func (b *bounds) between(what string, n, low, high float64) {
	if b.err == nil && !(n >= low && n <= high) { // NaN is not
		b.err = fmt.Errorf("%s: %v, not from %v to %v", what, n, low, high)
	}
}

func (b *bounds) text(what, s string) { b.between("length of "+what, float64(len(s)), 0, maxString) }

func (b *bounds) one(what, s string, of ...string) {
	if b.err == nil && !slices.Contains(of, s) {
		b.err = fmt.Errorf("%s: %.40q", what, s)
	}
}

// valid says what of a job cannot be played. Texts with words in braces are looked at when the fleet is prepared.
func valid(job *fleet.Job) error {
	f := job.Fleet
	if f == nil {
		return errors.New("there is no fleet")
	}
	var b bounds
	b.between("devices", float64(f.Devices), 1, maxDevices)
	b.between("tenants", float64(f.Tenants), 1, float64(f.Devices))
	b.between("connects a second", f.Connects, 1e-3, 1e9)
	b.between("length", float64(job.For), float64(time.Millisecond), float64(longest))
	b.between("drain", float64(job.Drain), 0, float64(time.Hour))
	b.between("settling", float64(job.Settle), 0, float64(time.Hour))
	b.between("speed", job.Speed, 0, 1e4)
	b.between("classes", float64(len(f.Classes)), 1, maxList)
	b.between("sources", float64(len(job.Sources)), 0, 1<<16)
	b.text("path", job.Target.Path)
	b.text("host", job.Target.Host)
	b.text("API", job.Target.API)
	if f.Operator != nil {
		b.text("operator", f.Operator.ID+f.Operator.User+f.Operator.Pass)
	}
	for _, a := range job.Sources {
		if b.err == nil && !a.IsValid() {
			b.err = errors.New("sources: one is no address")
		}
	}
	for i := range f.Classes {
		b.class(&f.Classes[i])
	}
	if b.err != nil {
		return b.err
	}
	streams, commands := fleet.Sources(f)
	b.between("streams", float64(streams)+float64(commands), 0, maxStreams)
	return b.err
}

func (b *bounds) class(c *product.Class) {
	b.text("name", c.Name)
	b.text("identity", c.Identity.ID+c.Identity.User+c.Identity.Password+c.Identity.Token)
	b.between("share", c.Share, 1e-9, 1)
	b.between("window", float64(c.Window), 0, 1<<16)
	b.between("buffer", float64(c.Buffer), 0, 1e6)
	b.between("children", float64(c.Children), 0, 1e4)
	b.span("keep-alive", c.KeepAlive, 0)
	b.span("session expiry", c.Expiry, 0)
	for what, n := range map[string]int{"telemetry": len(c.Telemetry), "subscriptions": len(c.Subscribe), "commands": len(c.Commands), "calls": len(c.Provision)} {
		b.between(what, float64(n), 0, maxList)
	}
	if c.Will != nil {
		b.post(c.Will)
	}
	for i := range c.Telemetry {
		t := &c.Telemetry[i]
		b.post(&t.Post)
		b.span("every", t.Every, time.Microsecond)
		b.between("day", float64(len(t.Day)), 0, 24)
		total := 0.0
		for _, factor := range t.Day {
			b.between("factor of a day", factor, 0, 1000)
			total += factor
		}
		if len(t.Day) > 0 {
			b.between("sum of a day", total, math.SmallestNonzeroFloat64, 24000)
		}
	}
	for _, s := range c.Subscribe {
		b.text("filter", s.Topic)
		b.between("qos", float64(s.QoS), 0, 2)
	}
	for i := range c.Commands {
		a := &c.Commands[i]
		b.post(&a.Post)
		b.span("every", a.Every, time.Microsecond)
		if a.Answer != nil {
			b.post(a.Answer)
		}
	}
	for _, call := range c.Provision {
		b.text("call", call.URL+call.Body+call.Method)
		b.between("headers", float64(len(call.Headers)+len(call.Take)), 0, maxList)
		b.between("status", float64(call.Status), 0, 599)
	}
	if s := c.Sleep; s != nil {
		b.span("awake", s.Awake, time.Millisecond)
		b.span("asleep", s.Asleep, time.Millisecond)
	}
	if k := c.Backoff; k != nil {
		b.span("first pause", k.First, time.Microsecond)
		b.span("longest pause", k.Cap, time.Microsecond)
		b.between("factor of pauses", k.Factor, 1, 100)
		b.one("jitter", k.Jitter, "full", "equal", "none", "")
	}
}

func (b *bounds) span(what string, d product.Duration, least time.Duration) {
	b.between(what, float64(d), float64(least), float64(longest))
}

func (b *bounds) post(p *product.Post) {
	b.text("topic", p.Topic)
	b.text("payload", p.Payload)
	b.between("size", float64(p.Size), 0, maxString)
	b.between("qos", float64(p.QoS), 0, 2)
}
