package proxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
	"github.com/shakedown-test/shakedown/world/proxy"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var authority = sync.OnceValues(func() (*pki.Authority, error) { return pki.New(time.Now) })

// open is the client's end of a connection to a proxy behind which a server at far.test:80 says what it hears.
func open(t *testing.T, misbehave func(*proxy.Server)) (net.Conn, *bufio.Reader, *evidence.Log) {
	t.Helper()
	clk := clock.New(50)
	log := evidence.NewLog(clk.Now, nil, false)
	var echoes sync.WaitGroup
	s := proxy.New(proxy.Options{Part: "proxy", Clock: clk, Log: log, Dial: func(_ context.Context, address string) (net.Conn, error) {
		if address != "far.test:80" {
			return nil, errors.New("no route")
		}
		near, far := net.Pipe()
		echoes.Go(func() {
			defer far.Close()
			io.Copy(far, far)
		})
		return near, nil
	}})
	if misbehave != nil {
		misbehave(s)
	}
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(far)
	}()
	t.Cleanup(func() {
		near.Close()
		s.Close()
		<-done
		echoes.Wait()
	})
	near.SetDeadline(time.Now().Add(5 * time.Second))
	return near, bufio.NewReader(near), log
}

// say sends lines and returns the status line of the answer, whose fields it passes over.
func say(t *testing.T, c net.Conn, in *bufio.Reader, lines ...string) string {
	t.Helper()
	go io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n")
	status, err := in.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == "" {
			return strings.TrimSpace(status)
		}
	}
}

func TestTunnel(t *testing.T) {
	c, in, log := open(t, nil)
	if got := say(t, c, in, "CONNECT far.test:80 HTTP/1.1", "Host: far.test:80"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Fatalf("got %q", got)
	}
	go io.WriteString(c, "hello")
	b := make([]byte, 5)
	if _, err := io.ReadFull(in, b); err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
	if a, ok := log.Since(0)[0].Data.(*proxy.Asked); !ok || a.Target != "far.test:80" || a.Credentials {
		t.Errorf("got %+v", log.Since(0)[0])
	}
}

func TestForward(t *testing.T) {
	c, in, _ := open(t, nil)
	go fmt.Fprintf(c, "GET http://far.test/a?b HTTP/1.1\r\nHost: far.test\r\nProxy-Authorization: Basic eA==\r\nX: y\r\n\r\n")
	var got []string // the server says what it hears
	for range 4 {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimSpace(line))
	}
	if want := "GET /a?b HTTP/1.1|Host: far.test|X: y|Connection: close"; strings.Join(got, "|") != want {
		t.Errorf("the server heard %q", got)
	}
}

func TestRefusals(t *testing.T) {
	connect := []string{"CONNECT far.test:80 HTTP/1.1", "Host: far.test:80"}
	for name, c := range map[string]struct {
		misbehave func(*proxy.Server)
		lines     []string
		want      string
	}{
		"no route":         {nil, []string{"CONNECT near.test:80 HTTP/1.1", "Host: near.test:80"}, "502"},
		"no request":       {nil, []string{"nonsense"}, "400"},
		"no URL":           {nil, []string{"GET /a HTTP/1.1", "Host: far.test"}, "400"},
		"refused":          {func(s *proxy.Server) { s.Refuse(403) }, connect, "403"},
		"without password": {func(s *proxy.Server) { s.Demand("u", "p") }, connect, "407"},
		"wrong password":   {func(s *proxy.Server) { s.Demand("u", "p") }, append(connect[:2:2], "Proxy-Authorization: Basic dTpx"), "407"},
		"right password":   {func(s *proxy.Server) { s.Demand("u", "p") }, append(connect[:2:2], "Proxy-Authorization: Basic dTpw"), "200"},
		"healed":           {func(s *proxy.Server) { s.Refuse(403)() }, connect, "200"},
	} {
		t.Run(name, func(t *testing.T) {
			nc, in, _ := open(t, c.misbehave)
			if got := say(t, nc, in, c.lines...); !strings.HasPrefix(got, "HTTP/1.1 "+c.want+" ") {
				t.Errorf("got %q, want %s", got, c.want)
			}
		})
	}
}

func TestTunnelsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		misbehave func(*proxy.Server)
		send      string
	}{
		"idle":  {func(s *proxy.Server) { s.CutIdle(2 * time.Second) }, ""},
		"reset": {func(s *proxy.Server) { s.Reset() }, "x"},
	} {
		t.Run(name, func(t *testing.T) {
			nc, in, _ := open(t, c.misbehave)
			say(t, nc, in, "CONNECT far.test:80 HTTP/1.1", "Host: far.test:80")
			go io.WriteString(nc, c.send)
			if _, err := in.ReadByte(); err == nil {
				t.Error("the tunnel is still open")
			}
		})
	}
}

func TestIntercept(t *testing.T) {
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	for name, careful := range map[string]bool{"a careful client": true, "a careless client": false} {
		t.Run(name, func(t *testing.T) {
			nc, in, log := open(t, func(s *proxy.Server) {
				s.Intercept(func(host string) (*tls.Certificate, error) { return a.Server(pki.UntrustedCA, host) })
			})
			say(t, nc, in, "CONNECT far.test:80 HTTP/1.1", "Host: far.test:80")
			c := tls.Client(nc, &tls.Config{ServerName: "far.test", InsecureSkipVerify: !careful})
			if err := c.Handshake(); err == nil {
				go io.WriteString(c, "secret")
			} else if !careful {
				t.Fatal(err)
			}
			_, err := log.Await(t.Context(), 0, func(e evidence.Event) bool {
				told, ok := e.Data.(*proxy.Intercepted)
				return ok && told.Text == "secret" && !careful || e.Kind == evidence.Alert && careful
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
