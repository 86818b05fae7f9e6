package fleet

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shakedown-test/shakedown/fleet/payload"
	"github.com/shakedown-test/shakedown/fleet/series"
	"github.com/shakedown-test/shakedown/product"
)

// Bounds of an answer to a call: of what values are taken from, and of what is only read, as an image is.
const (
	maxDocument = 1 << 20
	maxDownload = 1 << 30
)

// call is a product.Call ready for use.
type call struct {
	method    string
	url, body *payload.Template
	headers   []callHeader
	status    int // 0: any of 200 to 299
	take      []taking
}

type callHeader struct {
	name  string
	value *payload.Template
}

// taking is a value that is taken from an answer: which of the names of the class it is, and where it stands.
type taking struct {
	name int
	path string
}

// newCalls makes calls ready; names are all that the class has.
func (p *plan) newCalls(list []product.Call, names []string) ([]*call, error) {
	var out []*call
	for k, spec := range list {
		one, err := p.newCall(spec, names)
		if err != nil {
			return nil, fmt.Errorf("call %d: %w", k+1, err)
		}
		out = append(out, one)
	}
	return out, nil
}

func (p *plan) newCall(spec product.Call, names []string) (*call, error) {
	c := &call{method: spec.Method, status: spec.Status}
	if c.method == "" {
		c.method = http.MethodPost
	}
	t := p.job.Target
	if strings.HasPrefix(spec.URL, "/") {
		api := t.API
		if api == "" && (t.Scheme == product.HTTP || t.Scheme == product.HTTPS) {
			api = string(t.Scheme) + "://" + t.Host
		}
		if api == "" {
			return nil, fmt.Errorf("url %s: the target is %s, which has no paths for calls\nhint: write the whole URL, or api: at the cloud in the product file", spec.URL, t.Scheme)
		}
		spec.URL = api + spec.URL
	}
	var err error
	if c.url, err = payload.Compile(spec.URL, payload.Bytes, 0, names...); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if c.body, err = payload.Compile(spec.Body, "", 0, names...); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Headers)) {
		value, err := payload.Compile(spec.Headers[name], payload.Bytes, 0, names...)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		c.headers = append(c.headers, callHeader{name, value})
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Take)) {
		c.take = append(c.take, taking{slices.Index(names, name), spec.Take[name]})
	}
	return c, nil
}

// caller makes the calls of one device, on connections of its own.
type caller struct {
	client http.Client
	vars   payload.Vars // Values is what is known, and what is taken goes there
	read   int64        // bytes of bodies
}

// newCaller is one that dials from an address, which may be the zero address.
func (p *plan) newCaller(c *class, from netip.Addr, v payload.Vars) *caller {
	var d net.Dialer
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	cfg := p.tls(c.Class.TLS)
	if p.job.Target.Name == "" || p.job.Target.Scheme != product.HTTPS {
		cfg.ServerName = "" // that of the URL
	}
	t := &http.Transport{DialContext: d.DialContext, TLSClientConfig: cfg, MaxResponseHeaderBytes: maxHead, MaxIdleConnsPerHost: 1}
	return &caller{vars: v, client: http.Client{
		Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// all makes calls, one after the other. The error says in a few words what stood in the way.
func (c *caller) all(ctx context.Context, list []*call) error {
	defer c.client.CloseIdleConnections()
	for _, one := range list {
		if err := c.one(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) one(ctx context.Context, o *call) error {
	req, err := http.NewRequestWithContext(ctx, o.method, string(o.url.Append(nil, &c.vars)), bytes.NewReader(o.body.Append(nil, &c.vars)))
	if err != nil {
		return errors.New("a URL that is none")
	}
	for _, h := range o.headers {
		value := string(h.value.Append(nil, &c.vars))
		if strings.EqualFold(h.name, "Host") {
			req.Host = value
		}
		req.Header.Set(h.name, value)
	}
	res, err := c.client.Do(req)
	if err != nil {
		return callError(err)
	}
	defer res.Body.Close()
	if right := o.status == res.StatusCode || o.status == 0 && res.StatusCode/100 == 2; !right {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	if len(o.take) == 0 {
		n, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxDownload))
		c.read += n
		return callError(err)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	c.read += int64(len(text))
	switch {
	case err != nil:
		return callError(err)
	case len(text) > maxDocument:
		return errors.New("an answer of more than 1 MiB")
	}
	var doc any
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if in.Decode(&doc) != nil {
		return errors.New("an answer that is not JSON")
	}
	for _, t := range o.take {
		value, ok := at(doc, t.path)
		if !ok {
			return fmt.Errorf("no %s in the answer", t.path)
		}
		c.vars.Values[t.name] = value
	}
	return nil
}

// callError is why a call failed, without what is different from device to device.
func callError(err error) error {
	switch inner := (*url.Error)(nil); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the other side closed the connection")
	case errors.As(err, &inner):
		return errors.New(classify(inner.Err))
	}
	return errors.New(classify(err))
}

// at is the value at a path in a JSON document as text; lists and objects, and null, are none.
func at(doc any, path string) (string, bool) {
	for key := range strings.SplitSeq(path, ".") {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[key]
		case []any:
			k, err := strconv.Atoi(key)
			if err != nil || k < 0 || k >= len(d) {
				return "", false
			}
			doc = d[k]
		default:
			return "", false
		}
	}
	switch v := doc.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// errands is how many devices of a loop make calls at once; others wait for their turn, which is time of this program's own.
const errands = 256

// errand is calls of one device that wait for their turn.
type errand struct {
	device int32
	since  int64
	limit  time.Duration
	calls  []*call
	begin  func(now int64) (wanted bool)
	done   func(now int64, values []string, err error)
}

// run has calls made beside the loop, when it is their turn.
func (s *shard) run(e errand) {
	s.errands = append(s.errands, e)
	s.runNext(e.since)
}

func (s *shard) runNext(now int64) {
	for s.running < errands && len(s.errands) > 0 {
		e := s.errands[0]
		if s.errands = s.errands[1:]; !e.begin(now) {
			continue
		}
		s.meter.Time(series.Lag, time.Duration(now-e.since))
		s.running++
		c, from, v := s.classOf(e.device), s.source(s.number(e.device)), s.ownVars(e.device, now)
		s.goroutines.Go(func() {
			ctx, cancel := context.WithTimeout(s.life, e.limit)
			defer cancel()
			caller := s.newCaller(c, from, v)
			err := caller.all(ctx, e.calls)
			s.post(func(now int64) {
				s.running--
				s.meter.Count(series.BytesIn, int(caller.read))
				e.done(now, caller.vars.Values, err)
				s.runNext(now)
			})
		})
	}
}

// prepare provisions a device, and then has it connect.
func (s *shard) prepare(i int32, now int64) {
	s.devices[i].state = preparing
	s.claim(i, nil, now)
}

// claim makes the provisioning calls of a device. Not nil, first is what it was given when it made them before.
func (s *shard) claim(i int32, first []string, now int64) {
	d := &s.devices[i]
	s.timers.stop(i) // until it is its turn
	turn := d.turn
	wanted := func() bool { return d.turn == turn && d.state == preparing }
	s.run(errand{
		device: i, since: now, limit: attempt, calls: s.classOf(i).provision,
		begin: func(now int64) bool {
			if wanted() {
				s.timers.set(i, now+int64(attempt))
				return true
			}
			return false
		},
		done: func(now int64, values []string, err error) {
			switch {
			case !wanted():
			case err != nil && first == nil:
				s.fail(i, "provisioning: "+err.Error(), now)
			case s.job.Again && first == nil:
				s.claim(i, values, now)
			default:
				if err != nil {
					s.meter.Answer("provisioning again: " + err.Error())
					values = first
				} else if first != nil && s.renamed(i, first, values) {
					s.meter.Count(series.Renamed, 1)
				}
				s.provisioned(i, values)
				s.timers.set(i, now+int64(attempt))
				s.reach(i, now)
			}
		},
	})
}

// provisioned keeps what a device was given.
func (s *shard) provisioned(i int32, values []string) {
	number := s.number(i)
	s.given[number-s.job.From].Store(&values)
	if s.doubles(s.classOf(i), number) {
		s.meter.Count(series.Doubled, 1)
	}
}

// renamed reports whether a device has another name with the values that it was given now than with the first.
func (s *shard) renamed(i int32, first, now []string) bool {
	who := s.classOf(i).who
	name := func(values []string) string {
		v := s.vars(s.number(i))
		v.Values = values
		v.ID = string(who.id.Append(nil, &v))
		return string(who.given.Append(nil, &v))
	}
	return who.given != nil && who.named && name(first) != name(now)
}

// doubles reports whether another device was given the same identity: the id, if that is given, or else the user or the token.
func (p *plan) doubles(c *class, number int) bool {
	t := c.who.given
	if t == nil {
		return false
	}
	v := p.vars(number)
	sum := fnv.New64a()
	_, _ = sum.Write(t.Append(nil, &v))
	p.identities.Lock()
	defer p.identities.Unlock()
	return p.identities.seen.Doubles(sum.Sum64())
}

// Given are the identities that provisioning gave, by their hashes: of a million, two that differ have the same once in some ten million runs.
type Given map[uint64]struct{}

// Doubles adds one, and reports whether it was there.
func (g Given) Doubles(identity uint64) bool {
	_, is := g[identity]
	g[identity] = struct{}{}
	return is
}

// MarshalBinary writes them, with eight bytes for each.
func (g Given) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, 8*len(g))
	for identity := range g {
		b = binary.BigEndian.AppendUint64(b, identity)
	}
	return b, nil
}

// Merge adds those that another share wrote, and counts those that were there: devices of two shares were given the same.
func (g Given) Merge(b []byte) (doubled int, err error) {
	if len(b)%8 != 0 {
		return 0, fmt.Errorf("read the identities that were given: %d bytes", len(b))
	}
	for ; len(b) > 0; b = b[8:] {
		if g.Doubles(binary.BigEndian.Uint64(b)) {
			doubled++
		}
	}
	return doubled, nil
}

// update has a device make its update's calls.
func (s *shard) update(i int32, due, now int64) {
	s.run(errand{
		device: i, since: due, limit: updateTime, calls: s.classOf(i).updates,
		begin: func(int64) bool { return !s.stopping },
		done: func(_ int64, _ []string, err error) {
			switch {
			case s.life.Err() != nil:
			case err != nil:
				s.meter.Error("update: " + err.Error())
			default:
				s.meter.Answer("update: done")
			}
		},
	})
}

// updateTime is how long an update may take.
const updateTime = 10 * time.Minute
