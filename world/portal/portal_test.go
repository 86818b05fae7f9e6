package portal_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/portal"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newPortal(t *testing.T) *portal.Portal {
	t.Helper()
	clk := clock.New(10)
	p := portal.New(portal.Options{Part: "portal", Clock: clk, Log: evidence.NewLog(clk.Now, nil, false), Login: "http://portal.example/login"})
	t.Cleanup(p.Close)
	return p
}

func ask(t *testing.T, p *portal.Portal, path string) *http.Response {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go p.Serve(far)
	go fmt.Fprintf(near, "GET %s HTTP/1.1\r\nHost: api.example\r\n\r\n", path)
	r, err := http.ReadResponse(bufio.NewReader(near), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return r
}

func TestManners(t *testing.T) {
	p := newPortal(t)
	p.Shut(portal.Redirects)
	if r := ask(t, p, "/v1/config"); r.StatusCode != 302 || r.Header.Get("Location") != "http://portal.example/login" {
		t.Errorf("got %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	if r := ask(t, p, "/login"); r.StatusCode != 200 {
		t.Errorf("login: got %d", r.StatusCode)
	}
	p.Shut(portal.Serves)
	if r := ask(t, p, "/v1/config"); r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("got %d %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
}

func TestHooks(t *testing.T) {
	p := newPortal(t)
	var said []string
	for _, name := range []string{"dns", "endpoint"} {
		p.Hook(func() func() {
			said = append(said, name+" shut")
			return func() { said = append(said, name+" open") }
		})
	}
	open := p.Shut(portal.Redirects)
	p.Shut(portal.Serves) // shut already
	open()
	open()
	if got := fmt.Sprint(said); got != "[dns shut endpoint shut endpoint open dns open]" {
		t.Errorf("got %s", got)
	}
}
