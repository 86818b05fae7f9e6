package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/http1"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/web"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a server at a loopback port and an ordinary client.
type bench struct {
	*web.Server
	t      *testing.T
	log    *evidence.Log
	addr   string
	client *http.Client
}

func newBench(t *testing.T) *bench {
	t.Helper()
	clk := clock.New(100)
	log := evidence.NewLog(clk.Now, nil, false)
	b := &bench{t: t, log: log, Server: web.New(web.Options{Part: "api", Clock: clk, Log: log})}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.addr = ln.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go b.Serve(c)
		}
	}()
	transport := &http.Transport{}
	b.client = &http.Client{Transport: transport, Timeout: 5 * time.Second}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ln.Close()
		<-done
		b.Close()
	})
	b.Set("/a", web.Resource{Type: "text/plain", Body: []byte("0123456789")})
	return b
}

// get asks for a path and gives status and body; a field is "Name: value".
func (b *bench) get(path string, fields ...string) (status int, body string, err error) {
	b.t.Helper()
	q, err := http.NewRequest(http.MethodGet, "http://"+b.addr+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range fields {
		name, value, found := strings.Cut(f, ": ")
		if found {
			q.Header.Set(name, value)
		}
	}
	r, err := b.client.Do(q)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	return r.StatusCode, string(data), err
}

func TestOrdinary(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct {
		path, field string
		status      int
		body        string
	}{
		"whole":               {"/a", "", 200, "0123456789"},
		"unknown":             {"/b", "", 404, ""},
		"a range":             {"/a", "Range: bytes=2-4", 206, "234"},
		"from the middle":     {"/a", "Range: bytes=7-", 206, "789"},
		"the last bytes":      {"/a", "Range: bytes=-3", 206, "789"},
		"past the end":        {"/a", "Range: bytes=10-", 416, ""},
		"two ranges":          {"/a", "Range: bytes=0-1,3-4", 200, "0123456789"},
		"another unit":        {"/a", "Range: lines=1-2", 200, "0123456789"},
		"not modified":        {"/a", `If-None-Match: "84d89877f0d4041e"`, 304, ""},
		"modified since then": {"/a", `If-None-Match: "old"`, 200, "0123456789"},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, err := b.get(c.path, c.field)
			if err != nil || status != c.status || status < 300 && body != c.body {
				t.Errorf("got %d %q, %v", status, body, err)
			}
		})
	}
}

func TestResponses(t *testing.T) {
	b := newBench(t)
	text := web.Response{Status: 200, Type: "text/plain", Body: []byte("0123456789")}
	with := func(change func(*web.Response)) web.Response {
		r := text
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		r     web.Response
		body  string
		fails bool
	}{
		"chunked": {with(func(r *web.Response) { r.Framing = web.Chunked }), "0123456789", false},
		"chunks of 1": {with(func(r *web.Response) {
			r.Framing, r.Chunk, r.Trailers = web.Chunked, 1, http1.Fields{{Name: "X", Value: "y"}}
		}), "0123456789", false},
		"until close":       {with(func(r *web.Response) { r.Framing = web.UntilClose }), "0123456789", false},
		"short":             {with(func(r *web.Response) { r.Stop = 5 }), "01234", true},
		"short in chunks":   {with(func(r *web.Response) { r.Stop, r.Framing = 5, web.Chunked }), "01234", true},
		"repeated":          {with(func(r *web.Response) { r.Length = 23 }), "01234567890123456789012", false},
		"large head":        {with(func(r *web.Response) { r.Pad = 32 << 10 }), "0123456789", false},
		"slow head":         {with(func(r *web.Response) { r.Pace = 10 * time.Millisecond }), "0123456789", false},
		"later":             {with(func(r *web.Response) { r.Delay = time.Second }), "0123456789", false},
		"silent after head": {with(func(r *web.Response) { r.Mute = true }), "", true},
		"no answer":         {web.Response{}, "", true},
		"problem":           {web.Later(503, 120), `{"title":"Service Unavailable","status":503}`, false},
		"redirect":          {web.Redirect(302, "/a"), "0123456789", false},
	} {
		t.Run(name, func(t *testing.T) {
			b.client.Timeout = 5 * time.Second
			if c.r.Mute {
				b.client.Timeout = 100 * time.Millisecond
			}
			undo := b.When(web.Rule{Path: "/r", Do: func(*web.Request) web.Response { return c.r }})
			defer undo()
			_, body, err := b.get("/r")
			if body != c.body || (err != nil) != c.fails {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
}

func TestRulesEnd(t *testing.T) {
	b := newBench(t)
	b.When(web.Rule{Path: "/a", Times: 1, Do: func(*web.Request) web.Response { return web.Problem(500) }})
	undo := b.When(web.Rule{Match: func(q *web.Request) bool { return q.Query == "x" }, Do: func(*web.Request) web.Response { return web.Problem(503) }})
	want := []struct {
		path   string
		status int
	}{{"/a?x", 503}, {"/a", 500}, {"/a", 200}, {"/a?x", 503}}
	for i, w := range want {
		if status, _, err := b.get(w.path); err != nil || status != w.status {
			t.Errorf("request %d: got %d %v, want %d", i, status, err, w.status)
		}
	}
	undo()
	undo()
	if status, _, _ := b.get("/a?x"); status != 200 {
		t.Errorf("after undo: got %d", status)
	}
}

func TestEndless(t *testing.T) {
	b := newBench(t)
	b.When(web.Rule{Path: "/big", Do: func(*web.Request) web.Response {
		return web.Response{Status: 200, Body: []byte("x"), Length: -1, Framing: web.UntilClose}
	}})
	r, err := b.client.Get("http://" + b.addr + "/big")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, r.Body, 1<<20); n != 1<<20 {
		t.Errorf("got %d bytes, %v", n, err)
	}
	r.Body.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := b.log.Await(ctx, 0, func(e evidence.Event) bool { _, ok := e.Data.(*web.Ended); return ok }); err != nil {
		t.Error("the end is not noted")
	}
}

func TestEventsHideTokens(t *testing.T) {
	var out strings.Builder
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, &out, false)
	s := web.New(web.Options{Part: "api", Clock: clk, Log: log})
	defer s.Close()
	near, far := net.Pipe()
	go s.Serve(far)
	go io.WriteString(near, "GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer tell-nobody\r\nConnection: close\r\n\r\n")
	if _, err := io.ReadAll(bufio.NewReader(near)); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	q, ok := web.Got(log.Since(0)[0])
	if !ok || q.Authorization != "Bearer tell-nobody" || q.Scheme != "Bearer" {
		t.Errorf("got %+v", q)
	}
	if strings.Contains(out.String(), "tell-nobody") {
		t.Error("the token is written")
	}
}

func TestBadRequestIsAnswered(t *testing.T) {
	b := newBench(t)
	c, err := net.Dial("tcp4", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "\x10\x20 nonsense\r\n")
	head, _ := bufio.NewReader(c).ReadString('\n')
	if !strings.HasPrefix(head, "HTTP/1.1 400 ") {
		t.Errorf("got %q", head)
	}
}
