package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/shakedown-test/shakedown/fleet/payload"
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
