package record

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
	_ "unsafe" // for the suites, of which crypto/tls gives no choice
)

//go:linkname defaultCipherSuitesTLS13 crypto/tls.defaultCipherSuitesTLS13
var defaultCipherSuitesTLS13 []uint16

//go:linkname defaultCipherSuitesTLS13NoAES crypto/tls.defaultCipherSuitesTLS13NoAES
var defaultCipherSuitesTLS13NoAES []uint16

// onlySuite has crypto/tls offer and take one suite. No parallel test runs at that time.
func onlySuite(t *testing.T, suite uint16) {
	a, b := defaultCipherSuitesTLS13, defaultCipherSuitesTLS13NoAES
	defaultCipherSuitesTLS13, defaultCipherSuitesTLS13NoAES = []uint16{suite}, []uint16{suite}
	t.Cleanup(func() { defaultCipherSuitesTLS13, defaultCipherSuitesTLS13NoAES = a, b })
}

// identity is a certificate for server.example, and those who trust it.
var identity = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server.example"}, DNSNames: []string{"server.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
})

// configs are those of a server and of a client that get along.
func configs() (server, client *tls.Config) {
	cert, pool := identity()
	return &tls.Config{Certificates: []tls.Certificate{cert}}, &tls.Config{RootCAs: pool, ServerName: "server.example"}
}

// listen runs a server of crypto/tls until the test is over, and gives its address.
func listen(t testing.TB, cfg *tls.Config, serve func(*tls.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				serve(tls.Server(c, cfg))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().String()
}

// peer is a client with a session, and the buffer that the session has not.
type peer struct {
	conn net.Conn
	*Session
	state tls.ConnectionState
	buf   []byte
	have  int
}

// dial connects and makes a session.
func dial(t testing.TB, addr string, cfg *tls.Config) *peer {
	t.Helper()
	conn, done := handshake(t, addr, cfg)
	t.Cleanup(func() { conn.Close() })
	if done.Session == nil {
		t.Fatalf("no session: %#x", done.State.Version)
	}
	return &peer{conn: conn, Session: done.Session, state: done.State, buf: make([]byte, MaxRecord)}
}

func handshake(t testing.TB, addr string, cfg *tls.Config) (net.Conn, Done) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	done, err := Handshake(context.Background(), conn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return conn, done
}

// send seals and writes.
func (p *peer) send(t testing.TB, plain []byte) {
	t.Helper()
	if _, err := p.conn.Write(p.Seal(nil, plain)); err != nil {
		t.Fatal(err)
	}
}

// receive gives the next application data, or how the session ended; at most are read at a time.
func (p *peer) receive(t testing.TB, most int) ([]byte, error) {
	t.Helper()
	for {
		n, err := p.conn.Read(p.buf[p.have:min(len(p.buf), p.have+most)])
		if err != nil {
			t.Fatal(err)
		}
		p.have += n
		plain, used, err := p.Open(p.buf[:p.have])
		plain = append([]byte(nil), plain...)
		p.have = copy(p.buf, p.buf[used:p.have])
		if len(plain) > 0 || err != nil {
			return plain, err
		}
	}
}

// receiveAll gives the next n bytes of application data.
func (p *peer) receiveAll(t testing.TB, n int) []byte {
	t.Helper()
	var all []byte
	for len(all) < n {
		plain, err := p.receive(t, MaxRecord)
		if err != nil {
			t.Fatalf("after %d of %d bytes: %v", len(all), n, err)
		}
		all = append(all, plain...)
	}
	return all
}
