package endpoint

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link"
	"github.com/shakedown-test/shakedown/world/clock"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is an endpoint whose stand-in echoes; the test is the part.
type bench struct {
	*Endpoint
	t    *testing.T
	addr string
	cert *tls.Certificate
	pool *x509.CertPool
}

func newBench(t *testing.T, speed float64, config *TLS, handle func(net.Conn)) *bench {
	t.Helper()
	clk := clock.New(speed)
	log := evidence.NewLog(clk.Now, nil, false)
	s, err := link.NewStream("broker", func() (net.Listener, error) { return net.Listen("tcp4", "127.0.0.1:0") }, clk, log)
	if err != nil {
		t.Fatal(err)
	}
	if handle == nil {
		handle = func(c net.Conn) { io.Copy(c, c) }
	}
	b := &bench{t: t, addr: s.Addr().String(), pool: x509.NewCertPool()}
	if config != nil && config.Certificate == nil {
		config.Certificate = certify(t, clk.Now())
	}
	if config != nil {
		b.cert = config.Certificate
		b.pool.AddCert(b.cert.Leaf)
	}
	b.Endpoint = New(Options{Part: "broker", Clock: clk, Log: log, Stream: s, TLS: config, Handle: handle})
	t.Cleanup(func() { b.Close() })
	return b
}

// certify makes a certificate for localhost with a new key.
func certify(t *testing.T, now time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certifyKey(t, now, key)
}

// certifyKey makes a self-signed certificate for localhost.
func certifyKey(t *testing.T, now time.Time, key crypto.Signer) *tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "unit 7"}, DNSNames: []string{"localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (b *bench) dial() net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp4", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	c.SetDeadline(clock.New(1).Deadline(5 * time.Second))
	b.t.Cleanup(func() { c.Close() })
	return c
}

// secure is a TLS client of the endpoint; adjust may be nil.
func (b *bench) secure(adjust func(*tls.Config)) *tls.Conn {
	b.t.Helper()
	config := &tls.Config{ServerName: "localhost", RootCAs: b.pool}
	if adjust != nil {
		adjust(config)
	}
	return tls.Client(b.dial(), config)
}

func (b *bench) await(kind evidence.Kind, text string) evidence.Event {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
	defer cancel()
	e, err := b.o.Log.Await(ctx, 0, func(e evidence.Event) bool { return e.Kind == kind && strings.HasPrefix(e.Text, text) })
	if err != nil {
		b.t.Fatalf("no %s %q: %v; log: %v", kind, text, err, b.o.Log.Since(0))
	}
	return e
}

func echo(t *testing.T, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("echo gave %q, %v", got, err)
	}
}

func TestSecure(t *testing.T) {
	b := newBench(t, 1, &TLS{}, nil)
	c := b.secure(func(c *tls.Config) {
		c.NextProtos, c.MaxVersion = []string{"mqtt"}, tls.VersionTLS12
		c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	})
	echo(t, c, "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3csecret")
	hello := b.await(evidence.Hello, "localhost; TLS 1.2; ").Data.(Hello)
	if hello.ServerName != "localhost" || !cmp.Equal(hello.ALPN, []string{"mqtt"}) || !hello.OCSP || !hello.SessionTicket {
		t.Errorf("hello: %#v", hello)
	}
	state := b.await(evidence.Secure, "TLS 1.2 TLS_ECDHE_ECDSA_").Data.(State)
	if state.Version != tls.VersionTLS12 || state.CipherSuite != c.ConnectionState().CipherSuite || state.Resumed {
		t.Errorf("state: %+v", state)
	}
	if e := b.await(evidence.Bytes, "MQTT CONNECT"); e.Hex != "100c00044d515454"+"0402003c" || e.Size != 18 || e.Conn != 1 {
		t.Errorf("bytes: %+v", e)
	}
	c.Close()
	b.await(evidence.Close, "peer fin")
}

// Whoever sends the first close_notify ended the connection, also where it waits for the other's before it sends its FIN.
func TestEndWithoutFin(t *testing.T) {
	for who, handle := range map[string]func(net.Conn){
		"peer": nil,
		"we": func(c net.Conn) {
			io.ReadFull(c, make([]byte, 5))
			c.(interface{ CloseWrite() error }).CloseWrite()
			io.Copy(io.Discard, c)
		},
	} {
		b := newBench(t, 1, &TLS{}, handle)
		c := b.secure(nil)
		io.WriteString(c, "hello")
		if who == "peer" {
			io.ReadFull(c, make([]byte, 5))
			c.CloseWrite()
		}
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v, want the other close_notify", err)
		}
		c.CloseWrite()
		b.await(evidence.Close, who+" close_notify")
	}
}

func TestClientCertAndResumption(t *testing.T) {
	mine := certify(t, clock.New(1).Now())
	known := x509.NewCertPool()
	known.AddCert(mine.Leaf)
	b := newBench(t, 1, &TLS{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known}, nil)
	cache := tls.NewLRUClientSessionCache(1)
	for i, want := range []State{{Resumed: false}, {Resumed: true}} {
		c := b.secure(func(c *tls.Config) { c.Certificates, c.ClientSessionCache = []tls.Certificate{*mine}, cache })
		echo(t, c, "hello")
		c.Close()
		var states []State
		for _, e := range b.o.Log.Since(0) {
			if e.Kind == evidence.Secure {
				states = append(states, e.Data.(State))
			}
		}
		if len(states) != i+1 || states[i].Resumed != want.Resumed || states[i].ClientCert != "CN=unit 7" {
			t.Errorf("states: %+v", states)
		}
	}
	undo := b.Present(TLS{Certificate: b.cert, NoTickets: true})
	c := b.secure(func(c *tls.Config) { c.ClientSessionCache = cache })
	echo(t, c, "x")
	if c.ConnectionState().DidResume {
		t.Error("resumed though tickets are off")
	}
	undo()
	b.await(evidence.Heal, "other TLS settings")
	b.secure(nil).Read(make([]byte, 1))
	b.await(evidence.Alert, "we refused: client didn't provide a certificate")
}

func TestAlertsOfThePart(t *testing.T) {
	tests := []struct {
		want string
		act  func(b *bench)
	}{
		{"bad certificate", func(b *bench) { b.secure(func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }).Handshake() }},
		{"we refused: client offered only unsupported versions", func(b *bench) {
			b.secure(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }).Handshake()
		}},
		{"peer closed without alert", func(b *bench) { b.dial().Close() }},
		{"peer reset without alert", func(b *bench) {
			c := b.dial()
			c.Write([]byte{22, 3, 1})
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}},
	}
	for _, tt := range tests {
		b := newBench(t, 1, &TLS{}, nil)
		tt.act(b)
		b.await(evidence.Alert, tt.want)
	}
}

func TestPlainBytes(t *testing.T) {
	for bytes, want := range map[string]string{
		"\x10\x0c\x00\x04MQTT": "MQTT CONNECT", "GET / HTTP/1.1\r\n": "HTTP", "\x01": "other", "\x80\x2e\x01\x00\x02": "SSL 2.0 ClientHello",
	} {
		b := newBench(t, 1, &TLS{}, nil)
		c := b.dial()
		io.WriteString(c, bytes)
		b.await(evidence.Bytes, "plain: "+want)
		if _, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%s: part saw %v", want, err)
		}
		plain := newBench(t, 1, nil, nil)
		echo(t, plain.dial(), bytes)
		plain.await(evidence.Bytes, want)
	}
}

func TestMalformedHello(t *testing.T) {
	b := newBench(t, 1, &TLS{}, nil)
	c := b.dial()
	c.Write(record(recordHandshake, 0x0301, []byte{1, 0, 0, 3, 3, 3, 0}))
	b.await(evidence.Bad, "malformed ClientHello: offset 2: version or random cut off")
	if got, _ := io.ReadAll(c); len(got) != 7 || got[0] != recordAlert {
		t.Errorf("part got % x, want an alert", got)
	}
}

func TestSilentPartIsLetGo(t *testing.T) {
	b := newBench(t, 1000, &TLS{}, nil)
	if _, err := b.dial().Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("part saw %v", err)
	}
	b.await(evidence.Alert, "no handshake within 1m0s")
}

func TestRecordSizes(t *testing.T) {
	b := newBench(t, 1, &TLS{RecordSize: 100, HandshakeFragment: 64, MaxVersion: tls.VersionTLS12}, nil)
	watch := &sizes{Conn: b.dial()}
	c := tls.Client(watch, &tls.Config{ServerName: "localhost", RootCAs: b.pool})
	echo(t, c, strings.Repeat("x", 250))
	var plain, application int
	secured := false
	for b := watch.all; len(b) >= 5; {
		size := int(b[3])<<8 + int(b[4])
		switch {
		case b[0] == recordChangeCipherSpec:
			secured = true
		case b[0] == recordHandshake && !secured:
			plain++
			if size > 64 {
				t.Errorf("handshake record of %d bytes", size)
			}
		case b[0] == 23:
			application++
			if size > 100+64 {
				t.Errorf("application record of %d bytes", size)
			}
		}
		b = b[min(len(b), 5+size):]
	}
	if plain < 8 || application != 3 {
		t.Errorf("%d plaintext handshake records, %d of application data", plain, application)
	}
}

// sizes keeps what is read.
type sizes struct {
	net.Conn
	all []byte
}

func (s *sizes) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.all = append(s.all, b[:n]...)
	return n, err
}

func TestResetAndNumber(t *testing.T) {
	numbers := make(chan int, 1)
	b := newBench(t, 1, &TLS{}, func(c net.Conn) {
		numbers <- NumberOf(c)
		c.Read(make([]byte, 1))
		Reset(c)
	})
	c := b.secure(nil)
	io.WriteString(c, "x")
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("part saw %v, want a reset", err)
	}
	b.await(evidence.Close, "we reset")
	if n := <-numbers; n != 1 || NumberOf(c) != 0 {
		t.Errorf("number %d", n)
	}
}
