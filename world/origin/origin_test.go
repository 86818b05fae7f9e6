package origin

import (
	"bytes"
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/plgd-dev/go-coap/v3/dtls"
	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/options"
	"github.com/plgd-dev/go-coap/v3/pkg/runner/periodic"
	"github.com/plgd-dev/go-coap/v3/udp"
	"github.com/plgd-dev/go-coap/v3/udp/client"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/wire/coap"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Set("test.parallel", "16") // they wait more than they compute
	goleak.VerifyTestMain(m)
}

func start(t *testing.T, secure *DTLS) (*Server, *evidence.Log) {
	t.Helper()
	return startAt(t, secure, 10)
}

// startAt starts a server in device time of a speed.
func startAt(t *testing.T, secure *DTLS, speed float64) (*Server, *evidence.Log) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(speed)
	log := evidence.NewLog(clk.Now, nil, false)
	s := New(Options{Part: "cloud", Clock: clk, Log: log, Conn: conn, Rand: rand.New(rand.NewPCG(1, 2)), DTLS: secure})
	t.Cleanup(s.Close)
	return s, log
}

func texts(log *evidence.Log) string {
	var b strings.Builder
	for _, e := range log.Since(0) {
		b.WriteString(string(e.Kind) + " " + e.Text + "\n")
	}
	return b.String()
}

// A client of other makers gets, puts and observes, block by block, over UDP and over DTLS with a pre-shared key.
func TestOtherClient(t *testing.T) {
	secure := &DTLS{Keys: map[string][]byte{"unit": []byte("a key of 16 byte")}}
	for name, o := range map[string]*DTLS{"udp": nil, "dtls": secure} {
		t.Run(name, func(t *testing.T) {
			s, log := start(t, o)
			body := bytes.Repeat([]byte("0123456789"), 300)
			s.Put("/config", body, coap.TextPlain)
			got := make(chan []byte, 1)
			s.Serve("/in", Resource{Handle: func(_ *Peer, _ *coap.Message, b []byte) Response {
				got <- b
				return Response{Code: coap.Changed, Format: -1}
			}})
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			c := dial(t, s, o)
			r, err := c.Get(ctx, "/config")
			if err != nil {
				t.Fatalf("%v\n%s", err, texts(log))
			}
			if b, _ := io.ReadAll(r.Body()); r.Code() != codes.Content || !bytes.Equal(b, body) {
				t.Errorf("%v with %d bytes", r.Code(), len(b))
			}
			if r, err = c.Put(ctx, "/in", message.TextPlain, bytes.NewReader(body)); err != nil || r.Code() != codes.Changed {
				t.Errorf("put: %v %v", r, err)
			} else if b := <-got; !bytes.Equal(b, body) {
				t.Errorf("put: %d bytes came", len(b))
			}
			if r, err = c.Get(ctx, "/none"); err != nil || r.Code() != codes.NotFound {
				t.Errorf("unknown path: %v %v", r, err)
			}
			s.Put("/state", []byte("1"), coap.TextPlain)
			seen := make(chan string, 10)
			obs, err := c.Observe(ctx, "/state", func(m *pool.Message) {
				b, _ := m.ReadBody()
				seen <- string(b)
			})
			if err != nil {
				t.Fatal(err)
			}
			s.Put("/state", []byte("2"), coap.TextPlain)
			for _, want := range []string{"1", "2"} {
				select {
				case got := <-seen:
					if got != want {
						t.Errorf("notified of %q, want %q", got, want)
					}
				case <-ctx.Done():
					t.Fatalf("no notification of %q:\n%s", want, texts(log))
				}
			}
			if err := obs.Cancel(ctx); err != nil || s.Observers("/state") != 0 {
				t.Errorf("cancel: %v, %d observers", err, s.Observers("/state"))
			}
			// The server asks the client, which has nothing.
			m, err := s.Peers()[0].Request(ctx, (&coap.Message{Code: coap.GET}).SetPath("/none"), 20*time.Second)
			if err != nil || m.Code != coap.NotFound {
				t.Errorf("asked the client: %v %v", m, err)
			}
		})
	}
}

func dial(t *testing.T, s *Server, secure *DTLS) *client.Conn {
	t.Helper()
	var c *client.Conn
	var err error
	runner := options.WithPeriodicRunner(periodic.New(t.Context().Done(), 10*time.Millisecond))
	if secure == nil {
		c, err = udp.Dial(s.Addr().String(), runner)
	} else {
		c, err = dtls.Dial(s.Addr().String(), dtls.NewDTLSClientOptions(
			piondtls.WithPSK(func([]byte) ([]byte, error) { return secure.Keys["unit"], nil }), piondtls.WithPSKIdentityHint([]byte("unit")),
			piondtls.WithCipherSuites(piondtls.TLS_PSK_WITH_AES_128_CCM_8),
		), runner)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
