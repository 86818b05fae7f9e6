//go:build peers

package swarm

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/fleet/record"
)

// identity is a certificate that is its own authority, in files for a server and as the configuration of a client that has it too.
type identity struct {
	cert, key string
	client    *tls.Config
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server.example"}, DNSNames: []string{"server.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	dir := t.TempDir()
	id := identity{
		cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"),
		client: &tls.Config{RootCAs: pool, ServerName: "server.example", Certificates: []tls.Certificate{pair}},
	}
	for name, data := range map[string][]byte{id.cert: certPEM, id.key: keyPEM} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

// given is the port that freePorts gave last: the first of this process is one of many, below those from which the kernel makes connections.
var given atomic.Int64

func init() { given.Store(20_000 + int64(os.Getpid())%200*50) }

// freePorts is the first of n ports of the loopback in a row that nobody uses, and that no other test is given.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for range 100 {
		first := int(given.Add(int64(n))) - n + 1
		free := true
		for port := first; port < first+n; port++ {
			at := fmt.Sprintf("127.0.0.1:%d", port)
			stream, err := net.Listen("tcp", at)
			if free = free && err == nil; err == nil {
				stream.Close()
			}
			packets, err := net.ListenPacket("udp", at)
			if free = free && err == nil; err == nil {
				packets.Close()
			}
		}
		if free {
			return first
		}
	}
	t.Fatal("no port is free")
	return 0
}

func freePort(t *testing.T) string { return strconv.Itoa(freePorts(t, 1)) }

// program is a server that runs until its test is over.
type program struct {
	stdin io.Writer
	mu    sync.Mutex
	out   bytes.Buffer
}

func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

func (p *program) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// waits until the program has said something n times.
func (p *program) waits(t *testing.T, n int, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); strings.Count(p.said(), text) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not said %d times: %q\n%s", n, text, p.said())
		}
	}
}

// types a line.
func (p *program) types(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// start runs a server and waits for it to listen.
func start(t *testing.T, dir, port, name string, args ...string) *program {
	t.Helper()
	p := &program{}
	c := exec.Command(name, args...)
	c.Dir, c.Stdout, c.Stderr = dir, p, p
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it may be a script
	c.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if c.Err != nil {
		c.Path, c.Err = "/usr/sbin/"+name, nil
	}
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
		c.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.said())
		}
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen: %v\n%s", name, err, p.said())
		}
	}
}

// device is a session with its connection and its buffer, as a stream.
type device struct {
	conn net.Conn
	*record.Session
	state tls.ConnectionState
	buf   []byte
	have  int
	plain []byte // not read yet
	ended error
}

// connect does a handshake that leads to a session.
func connect(t *testing.T, port string, cfg *tls.Config) *device {
	t.Helper()
	conn, done := handshake(t, port, cfg)
	if done.Session == nil {
		t.Fatalf("no session, but version %#x", done.State.Version)
	}
	return &device{conn: conn, Session: done.Session, state: done.State, buf: make([]byte, record.MaxRecord)}
}

func handshake(t *testing.T, port string, cfg *tls.Config) (net.Conn, record.Done) {
	t.Helper()
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	done, err := record.Handshake(context.Background(), conn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return conn, done
}

func (d *device) Write(b []byte) (int, error) {
	_, err := d.conn.Write(d.Seal(nil, b))
	return len(b), err
}

func (d *device) Read(b []byte) (int, error) {
	for len(d.plain) == 0 {
		if d.ended != nil {
			return 0, d.ended
		}
		n, err := d.conn.Read(d.buf[d.have:])
		if err != nil {
			return 0, fmt.Errorf("no more, and no close_notify: %w", err)
		}
		d.have += n
		plain, used, err := d.Open(d.buf[:d.have])
		d.plain, d.ended = append(d.plain, plain...), err
		d.have = copy(d.buf, d.buf[used:d.have])
	}
	n := copy(b, d.plain)
	d.plain = d.plain[n:]
	return n, nil
}

// expect reads exactly this text.
func (d *device) expect(t *testing.T, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(d, got); err != nil || string(got) != text {
		t.Fatalf("got %q, %v, want %q", got, err, text)
	}
}

// sends seals and writes this text.
func (d *device) sends(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(d, text); err != nil {
		t.Fatal(err)
	}
}
