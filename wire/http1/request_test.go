package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/wire/http1"
)

func read(s string) (*http1.Request, error) {
	return http1.ReadRequest(bufio.NewReader(strings.NewReader(s)), http1.Limits{Line: 200, Head: 600, Fields: 5, Body: 100})
}

func TestReadRequest(t *testing.T) {
	for name, c := range map[string]struct {
		in, method, path, host, body string
	}{
		"plain":            {"GET /a?b=c HTTP/1.1\r\nHost: h:1\r\n\r\n", "GET", "/a", "h:1", ""},
		"bare line feeds":  {"GET / HTTP/1.1\nHost: h\n\n", "GET", "/", "h", ""},
		"empty line first": {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "/", "h", ""},
		"with length":      {"POST /t HTTP/1.1\r\nhost:h\r\ncontent-length: 3\r\n\r\nabcd", "POST", "/t", "h", "abc"},
		"chunked":          {"POST /t HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: v\r\n\r\n", "POST", "/t", "h", "abc"},
		"to a proxy":       {"GET http://h/x HTTP/1.1\r\nHost: other\r\n\r\n", "GET", "/x", "h", ""},
		"CONNECT":          {"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", "CONNECT", "h:443", "h:443", ""},
		"old":              {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := read(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if q.Method != c.method || q.Path() != c.path || q.Host() != c.host || string(q.Body) != c.body {
				t.Errorf("got %s %s host %s body %q", q.Method, q.Path(), q.Host(), q.Body)
			}
		})
	}
}

func TestBadRequests(t *testing.T) {
	for name, c := range map[string]struct {
		in     string
		status int
	}{
		"no request":       {"\x16\x03\x01\x02\n", 400},
		"no host":          {"GET / HTTP/1.1\r\n\r\n", 400},
		"two hosts":        {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		"version":          {"GET / HTTP/2.0\r\n\r\n", 505},
		"long line":        {"GET /" + strings.Repeat("a", 300) + " HTTP/1.1\r\n\r\n", 431},
		"long head":        {"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: "+strings.Repeat("x", 180)+"\r\n", 4) + "\r\n", 431},
		"many fields":      {"GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: x\r\n", 6) + "\r\n", 431},
		"folded field":     {"GET / HTTP/1.1\r\nHost: h\r\n x\r\n\r\n", 400},
		"control in field": {"GET / HTTP/1.1\r\nHost: h\r\nA: \x01\r\n\r\n", 400},
		"length and coding": {
			"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
		},
		"signed length":    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400},
		"two lengths":      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", 400},
		"large":            {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\n\r\n", 413},
		"large in chunks":  {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n", 413},
		"chunk size":       {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400},
		"chunk not ended":  {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400},
		"another encoding": {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.in)
			var e *http1.Error
			if !errors.As(err, &e) || e.Status != c.status {
				t.Errorf("got %v, want status %d", err, c.status)
			}
		})
	}
}

func TestEnds(t *testing.T) {
	if _, err := read(""); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("nothing: got %v, want EOF", err)
	}
	if _, err := read("GET / HT"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a line: got %v", err)
	}
	if _, err := read("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a body: got %v", err)
	}
}

func FuzzReadRequest(f *testing.F) {
	for _, s := range []string{
		"GET /a?b=c HTTP/1.1\r\nHost: h:1\r\n\r\n",
		"POST /t HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\nT: v\r\n\r\n",
		"POST /t HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc",
		"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nProxy-Authorization: Basic eA==\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := http1.Limits{Line: 256, Head: 1024, Fields: 20, Body: 512}
		q, err := http1.ReadRequest(bufio.NewReader(bytes.NewReader(data)), limits)
		if err != nil {
			return
		}
		if len(q.Body) > limits.Body || len(q.Fields) > limits.Fields || q.Size > len(data) {
			t.Fatalf("limits exceeded: %d bytes of body, %d fields, size %d of %d", len(q.Body), len(q.Fields), q.Size, len(data))
		}
		_, _, _ = q.Path(), q.Host(), q.Closes()
	})
}
