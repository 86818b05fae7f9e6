package record

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
)

// echo sends back what comes.
func echo(c *tls.Conn) { io.Copy(c, c) }

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestAgainstCryptoTLS has what a session seals opened by crypto/tls, and the reverse, in pieces of any size.
func TestAgainstCryptoTLS(t *testing.T) {
	for _, suite := range suites {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			onlySuite(t, suite)
			server, client := configs()
			r := rand.New(rand.NewPCG(1, uint64(suite)))
			up, down := noise(r, 300_000), noise(r, 300_000)
			var got []byte
			addr := listen(t, server, func(c *tls.Conn) {
				got = make([]byte, len(up))
				if _, err := io.ReadFull(c, got); err != nil {
					t.Errorf("server: %v", err)
				}
				for r, rest := rand.New(rand.NewPCG(2, 2)), down; len(rest) > 0; {
					n := min(len(rest), 1+r.IntN(40_000))
					c.Write(rest[:n])
					rest = rest[n:]
				}
				c.Close()
			})
			p := dial(t, addr, client)
			if p.Suite() != suite {
				t.Fatalf("suite %#x", p.Suite())
			}
			p.Keep(NewCiphers(1 + int(suite%3)))
			for rest := up; len(rest) > 0; {
				n := min(len(rest), 1+r.IntN(40_000))
				p.send(t, rest[:n])
				rest = rest[n:]
			}
			var back []byte
			var err error
			for err == nil {
				var plain []byte
				plain, err = p.receive(t, 1+r.IntN(20_000))
				back = append(back, plain...)
			}
			if err != io.EOF {
				t.Errorf("ended with %v", err)
			}
			if !bytes.Equal(back, down) || !bytes.Equal(got, up) {
				t.Errorf("what came is not what was sent: up %v, down %v", bytes.Equal(got, up), bytes.Equal(back, down))
			}
		})
	}
}

func TestResumption(t *testing.T) {
	for _, suite := range suites {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			onlySuite(t, suite)
			server, client := configs()
			resumes(t, server, client, new(Ticket))
		})
	}
	t.Run("client certificate", func(t *testing.T) { // here crypto/tls sends the ticket after the Finished of the client
		server, client := configs()
		server.ClientAuth, server.ClientCAs, client.Certificates = tls.RequireAndVerifyClientCert, client.RootCAs, server.Certificates
		resumes(t, server, client, tls.NewLRUClientSessionCache(1))
	})
	t.Run("no name", func(t *testing.T) { // the cache knows the server by its address
		server, client := configs()
		client.ServerName, client.InsecureSkipVerify = "", true
		resumes(t, server, client, tls.NewLRUClientSessionCache(1))
	})
}

// resumes has a second connection resume the first, which has let go of crypto/tls.
func resumes(t *testing.T, server, client *tls.Config, cache tls.ClientSessionCache) {
	t.Helper()
	addr := listen(t, server, echo)
	client.ClientSessionCache = cache
	for i := range 3 {
		p := dial(t, addr, client)
		if p.state.DidResume != (i > 0) {
			t.Errorf("connection %d: resumed: %v", i, p.state.DidResume)
		}
		if p.tail == nil {
			t.Error("the tls.Conn is gone before its ticket")
		}
		p.send(t, []byte("hello"))
		if got := p.receiveAll(t, 5); string(got) != "hello" {
			t.Errorf("echo: %q", got)
		}
		if p.tail != nil {
			t.Error("the tls.Conn is still there after application data")
		}
		p.send(t, []byte("again"))
		p.receiveAll(t, 5)
	}
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(server, client *tls.Config)
		conn   bool
	}{
		{"plain", func(server, client *tls.Config) {}, false},
		{"retry", func(server, client *tls.Config) { server.CurvePreferences = []tls.CurveID{tls.CurveP384} }, false},
		{"client certificate", func(server, client *tls.Config) {
			server.ClientAuth, server.ClientCAs, client.Certificates = tls.RequireAndVerifyClientCert, client.RootCAs, server.Certificates
		}, false},
		{"TLS 1.2", func(server, client *tls.Config) { server.MaxVersion = tls.VersionTLS12 }, true},
		{"TLS 1.2 by the client", func(server, client *tls.Config) { client.MaxVersion = tls.VersionTLS12 }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server, client := configs()
			tt.change(server, client)
			var log bytes.Buffer
			client.KeyLogWriter = &log
			conn, done := handshake(t, listen(t, server, echo), client)
			defer conn.Close()
			if (done.Conn != nil) != tt.conn || (done.Session != nil) == tt.conn {
				t.Fatalf("session %v, conn %v", done.Session != nil, done.Conn != nil)
			}
			if !strings.Contains(log.String(), "CLIENT_") {
				t.Error("the key log of the caller has nothing")
			}
			if tt.conn {
				if _, err := done.Conn.Write([]byte("hello")); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, 5)
				if _, err := io.ReadFull(done.Conn, got); err != nil || string(got) != "hello" {
					t.Errorf("%q, %v", got, err)
				}
				return
			}
			p := &peer{conn: conn, Session: done.Session, buf: make([]byte, MaxRecord)}
			if p.tail != nil {
				t.Error("a tls.Conn waits for tickets that nobody wants")
			}
			p.send(t, []byte("hello"))
			p.receiveAll(t, 5)
		})
	}
}

func TestHandshakeFails(t *testing.T) {
	t.Parallel()
	server, client := configs()
	addr := listen(t, server, echo)
	t.Run("unknown authority", func(t *testing.T) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		other := client.Clone()
		other.RootCAs = x509.NewCertPool()
		_, err = Handshake(context.Background(), conn, other)
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("%v", err)
		}
	})
	t.Run("silent server", func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		go io.Copy(io.Discard, far)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Handshake(ctx, near, client); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// TestKeyUpdates has crypto/tls answer those of a session with its own.
func TestKeyUpdates(t *testing.T) {
	for _, suite := range suites {
		t.Run(tls.CipherSuiteName(suite), func(t *testing.T) {
			onlySuite(t, suite)
			server, client := configs()
			client.ClientSessionCache = new(Ticket) // so that the tls.Conn sees the first
			p := dial(t, listen(t, server, echo), client)
			p.Keep(NewCiphers(2))
			for i := range 5 {
				key := p.in.key
				if _, err := p.conn.Write(p.Renew(nil, i%2 == 0)); err != nil {
					t.Fatal(err)
				}
				p.send(t, []byte("hello"))
				if got := p.receiveAll(t, 5); string(got) != "hello" {
					t.Errorf("echo: %q", got)
				}
				if (key != p.in.key) != (i%2 == 0) {
					t.Errorf("update %d: the keys of the server changed: %v", i, key != p.in.key)
				}
			}
		})
	}
}

func TestCloseTellsTheServer(t *testing.T) {
	t.Parallel()
	server, client := configs()
	ended := make(chan error, 1)
	addr := listen(t, server, func(c *tls.Conn) {
		_, err := io.ReadAll(c)
		ended <- err
	})
	for _, tt := range []struct {
		why  error
		want string
	}{
		{nil, ""},
		{io.EOF, ""},
		{&Error{Alert: BadRecordMAC, Why: "made up"}, "remote error: tls: bad record MAC"},
		{errors.New("something else"), "remote error: tls: internal error"},
	} {
		p := dial(t, addr, client)
		p.conn.Write(p.Close(nil, tt.why)) // the connection stays open, so that it is the alert which ends it
		if err := <-ended; tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != tt.want) {
			t.Errorf("%v: the server saw %v, want %q", tt.why, err, tt.want)
		}
		if more := p.Close(p.Renew(p.Seal(nil, []byte("more")), true), nil); len(more) > 0 {
			t.Error("something is sealed after the end")
		}
	}
}

func TestAlertOfTheServer(t *testing.T) {
	t.Parallel()
	server, client := configs()
	p := dial(t, listen(t, server, echo), client)
	record := p.Seal(nil, []byte("hello"))
	record[7] ^= 1
	p.conn.Write(record)
	_, err := p.receive(t, MaxRecord)
	if e, ok := errors.AsType[*Error](err); !ok || !e.Theirs || e.Alert != BadRecordMAC || !strings.Contains(e.Error(), "bad_record_mac") {
		t.Errorf("%v", err)
	}
	if answer := p.Close(nil, err); len(answer) > 0 {
		t.Error("an alert is answered with an alert")
	}
}

// TestRefusedAfterTheHandshake is how TLS 1.3 tells a client that its certificate will not do: the handshake has succeeded by then.
func TestRefusedAfterTheHandshake(t *testing.T) {
	t.Parallel()
	server, client := configs()
	server.ClientAuth = tls.RequireAndVerifyClientCert
	p := dial(t, listen(t, server, echo), client)
	_, err := p.receive(t, MaxRecord)
	if err == nil || err.Error() != "tls: the server sent the alert certificate_required" {
		t.Errorf("%v", err)
	}
	if got := Alert(200).String(); got != "alert 200" {
		t.Errorf("an alert without a name is %q", got)
	}
}

// TestNothingElseStays counts what a connection leaves on the heap when its handshake and its first exchange are over.
func TestNothingElseStays(t *testing.T) {
	server, client := configs()
	addr := listen(t, server, func(c *tls.Conn) { io.CopyN(c, c, 5) })
	ciphers := NewCiphers(64)
	var kept []*Session
	connect := func(n int, tickets bool) {
		for range n {
			cfg := client.Clone()
			if tickets {
				cfg.ClientSessionCache = new(Ticket) // dropped with the tls.Conn
			}
			conn, done := handshake(t, addr, cfg)
			p := &peer{conn: conn, Session: done.Session, buf: make([]byte, MaxRecord)}
			p.Keep(ciphers)
			p.send(t, []byte("hello"))
			p.receiveAll(t, 5)
			conn.Close()
			kept = append(kept, p.Session)
		}
	}
	for _, tickets := range []bool{false, true} {
		connect(100, tickets)
		before := settled()
		connect(200, tickets)
		each := (settled() - before) / 200
		t.Logf("tickets %v: %d bytes for each connection", tickets, each)
		if each > 600 {
			t.Errorf("tickets %v: a connection leaves %d bytes on the heap", tickets, each)
		}
	}
	runtime.KeepAlive(kept)
}

// settled is the heap when there is nothing more to collect.
func settled() int64 {
	least := inUse()
	for range 5 {
		least = min(least, inUse())
	}
	return least
}
