package device

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Limits of what an answer may be.
const (
	maxHead      = 16 << 10 // bytes; what is more does not fit the buffer, and the answer is refused
	maxDocument  = 64 << 10 // bytes
	maxPack      = 16 << 20 // bytes
	maxRedirects = 5
	maxLocation  = 4 << 10 // bytes
)

var (
	errRedirects = errors.New("too many redirects")
	errTooLarge  = errors.New("answer is too large")
)

// apiClient speaks HTTP/1.1 with the API over one connection, which it keeps. It is used by one turn at a time.
type apiClient struct {
	d          *Device
	token      string
	given      string // token that was given in this turn
	mayRefresh bool
	conn       *apiConn // kept; nil when there is none
}

// apiConn is a connection to one origin.
type apiConn struct {
	net.Conn
	in     *bufio.Reader
	budget *budget
	origin string
	used   bool // it served a request before
}

// budget bounds what is read of an answer.
type budget struct {
	r    io.Reader
	left int64
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// call is one request.
type call struct {
	method string
	url    *url.URL
	header http.Header
	body   string
}

// origin is scheme, host and port of a URL.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(net.JoinHostPort(u.Hostname(), port))
}

// do sends a request and reads the head of the answer. A request on a connection that the server had closed meanwhile is sent once more
// on a new one: it is one that may be repeated (RFC 9110 section 9.2.2).
func (c *apiClient) do(ctx context.Context, q call) (*http.Response, error) {
	for {
		reused := c.conn != nil && c.conn.origin == origin(q.url)
		if !reused {
			c.hangUp()
			conn, err := c.connect(ctx, q.url)
			if err != nil {
				return nil, err
			}
			c.conn = conn
		}
		r, err := c.exchange(ctx, q)
		if err == nil {
			return r, nil
		}
		c.hangUp()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s %s: %w", q.method, q.url.Host, ctx.Err())
		}
		if !reused || q.method != http.MethodGet || !closedEarly(err) {
			return nil, fmt.Errorf("%s %s: %w", q.method, q.url.Host, err)
		}
		if c.d.has("http-stale-lost") {
			return nil, fmt.Errorf("%w: %w", errStale, err)
		}
	}
}

// errStale is a kept connection that was closed: only a defect lets it fail a turn.
var errStale = errors.New("the kept connection is closed")

// closedEarly reports whether a connection ended before the first byte of an answer.
func closedEarly(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "broken pipe")
}

// exchange sends a request on the present connection and reads the head of the answer.
func (c *apiClient) exchange(ctx context.Context, q call) (*http.Response, error) {
	conn := c.conn
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request := &http.Request{
		Method: q.method, URL: q.url, Host: q.url.Host, Header: q.header, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(q.body)), Body: io.NopCloser(strings.NewReader(q.body)),
	}
	conn.used = true
	if err := request.Write(conn); err != nil {
		return nil, err
	}
	conn.budget.left = maxHead
	if c.d.has("http-headers-crash") {
		conn.budget.left = 64 << 10
	}
	r, err := http.ReadResponse(conn.in, request)
	if err != nil {
		return nil, err
	}
	conn.budget.left = maxDocument // of a body; a download asks for more
	if c.d.has("http-headers-crash") && headSize(r.Header) > maxHead {
		c.d.crashLater("stack smashed by a response")
		return nil, errTooLarge
	}
	r.Body = &answerBody{ReadCloser: r.Body, stop: context.AfterFunc(ctx, func() { conn.Close() })}
	return r, nil
}

func headSize(h http.Header) (n int) {
	for name, values := range h {
		n += len(name) + len(strings.Join(values, ""))
	}
	return n
}

// answerBody is a body that is cut off when its turn ends.
type answerBody struct {
	io.ReadCloser
	stop func() bool
}

func (b *answerBody) Close() error {
	b.stop()
	return nil // what is left of the body is not read; see done
}

// done is called when an answer was dealt with. The connection is kept when the answer was read to its end and neither side closes it.
func (c *apiClient) done(r *http.Response) {
	n, err := io.CopyN(io.Discard, r.Body, 4<<10)
	r.Body.Close()
	if r.Close || n == 4<<10 || err != io.EOF {
		c.hangUp()
	}
}

// hangUp closes the connection.
func (c *apiClient) hangUp() {
	if c.conn == nil {
		return
	}
	_ = c.conn.Close()
	c.d.trackAPI(nil)
	c.conn = nil
}

// connect makes a connection to the origin of a URL: through the proxy if the device has one, and with TLS for https.
func (c *apiClient) connect(ctx context.Context, u *url.URL) (*apiConn, error) {
	d := c.d
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	var raw net.Conn
	var err error
	if d.cfg.Proxy != "" && !d.has("http-proxy-ignored") {
		raw, err = c.throughProxy(ctx, net.JoinHostPort(host, port))
	} else {
		raw, err = d.reach(ctx, host, port)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", host, err)
	}
	d.trackAPI(raw)
	conn := &apiConn{Conn: raw, origin: origin(u)}
	if u.Scheme == "https" {
		dialling, cancel := d.cfg.Clock.Timeout(ctx, connectWait)
		defer cancel()
		if conn.Conn, err = d.secureAPI(dialling, raw, host); err != nil {
			_ = raw.Close() // the handshake's error says why
			d.trackAPI(nil)
			return nil, err
		}
	}
	conn.budget = &budget{r: conn.Conn, left: maxHead}
	conn.in = bufio.NewReader(conn.budget)
	return conn, nil
}

// throughProxy asks the proxy for a tunnel.
func (c *apiClient) throughProxy(ctx context.Context, target string) (net.Conn, error) {
	p, err := url.Parse(c.d.cfg.Proxy)
	if err != nil {
		return nil, fmt.Errorf("read proxy: %w", err)
	}
	raw, err := c.d.reach(ctx, p.Hostname(), p.Port())
	if err != nil {
		return nil, fmt.Errorf("connect to proxy %s: %w", p.Host, err)
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	request := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if password, ok := p.User.Password(); ok {
		request += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(p.User.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(raw, request+"\r\n"); err != nil {
		raw.Close()
		return nil, fmt.Errorf("ask proxy %s: %w", p.Host, err)
	}
	in := bufio.NewReader(&budget{r: raw, left: maxHead})
	r, err := http.ReadResponse(in, &http.Request{Method: http.MethodConnect})
	if err == nil && r.StatusCode != http.StatusOK {
		err = &statusError{code: r.StatusCode}
	}
	if err == nil && in.Buffered() > 0 {
		err = errors.New("bytes follow the answer") // the server speaks when it was spoken to
	}
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("tunnel through proxy %s: %w", p.Host, err)
	}
	return raw, nil
}

// get follows redirects: only so many, only over TLS, and without the token where they leave the API.
func (c *apiClient) get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	d := c.d
	u, err := url.Parse(d.cfg.API + path)
	if err != nil {
		return nil, fmt.Errorf("read address of the API: %w", err)
	}
	home := origin(u)
	for hops := 0; ; hops++ {
		h := header.Clone()
		if origin(u) == home || d.has("http-redirect-credentials") {
			h.Set("Authorization", "Bearer "+c.token)
		}
		r, err := c.do(ctx, call{method: http.MethodGet, url: u, header: h})
		if err != nil {
			return nil, err
		}
		switch r.StatusCode {
		case 301, 302, 303, 307, 308:
		default:
			return r, nil
		}
		location := r.Header.Get("Location")
		c.done(r)
		if u, err = c.follow(u, location, hops); err != nil {
			return nil, err
		}
	}
}

// follow is where a redirect leads.
func (c *apiClient) follow(from *url.URL, location string, hops int) (*url.URL, error) {
	d := c.d
	if d.has("http-redirect-long-crash") && len(location) > 512 {
		d.crashLater("stack smashed by a Location")
	}
	switch {
	case hops >= maxRedirects && !d.has("http-redirect-endless"):
		return nil, errRedirects
	case location == "" || len(location) > maxLocation:
		return nil, fmt.Errorf("redirect with a Location of %d bytes", len(location))
	}
	to, err := from.Parse(location)
	if err != nil {
		return nil, errors.New("redirect to what is no address")
	}
	if d.has("http-redirect-relative-crash") && !strings.Contains(location, "://") {
		d.crashLater("nil host")
		return nil, errRedirects
	}
	if to.Scheme != "https" && !(to.Scheme == "http" && (from.Scheme == "http" || d.has("http-redirect-downgrade"))) {
		return nil, fmt.Errorf("redirect from %s to %s", from.Scheme, to.Scheme)
	}
	return to, nil
}

// refresh gets another token.
func (c *apiClient) refresh(ctx context.Context) error {
	u, err := url.Parse(c.d.cfg.API + "/v1/token")
	if err != nil {
		return fmt.Errorf("read address of the API: %w", err)
	}
	h := http.Header{"Content-Type": {"application/json"}}
	r, err := c.do(ctx, call{method: http.MethodPost, url: u, header: h, body: fmt.Sprintf(`{"device":%q}`, c.d.cfg.ID)})
	if err != nil {
		return err
	}
	defer c.done(r)
	if r.StatusCode != http.StatusOK {
		return refusal(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("read token: %w", err)
	}
	fields, err := decodeObject(body)
	token, _ := fields["access_token"].(string)
	if err != nil || token == "" || len(token) > 4096 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("no token in the answer")
	}
	c.token, c.given = token, token
	return nil
}

// refusal is the error of an answer that is not the one hoped for.
func refusal(r *http.Response) error {
	return &statusError{code: r.StatusCode, after: retryAfter(r.Header)}
}

// retryAfter is the wait that a server asks for: seconds, or a date, which is measured from that of the answer, so that the device's clock
// has no part in it (RFC 9110 section 10.2.3).
func retryAfter(h http.Header) time.Duration {
	said := h.Get("Retry-After")
	if n, err := strconv.ParseUint(said, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	until, err := http.ParseTime(said)
	now, bad := http.ParseTime(h.Get("Date"))
	if err != nil || bad != nil {
		return 0
	}
	return max(until.Sub(now), 0)
}

// readAll reads a body that may have limit bytes.
func (c *apiClient) readAll(r *http.Response, limit int64) ([]byte, error) {
	if r.ContentLength > limit && !c.d.has("http-body-unbounded") {
		return nil, errTooLarge
	}
	c.conn.budget.left = limit + limit/2 // a chunked body has more bytes than its content
	if c.d.has("http-body-unbounded") {
		c.conn.budget.left, limit = 1<<40, 24<<20
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(r.Body, limit+1))
	switch {
	case n > limit && c.d.has("http-body-unbounded"):
		c.d.crashLater("out of memory")
		return nil, errTooLarge
	case n > limit:
		return nil, errTooLarge
	case err != nil && !(c.d.has("http-short-taken") && errors.Is(err, io.ErrUnexpectedEOF)):
		return nil, fmt.Errorf("read body: %w", err)
	}
	return b.Bytes(), nil
}
