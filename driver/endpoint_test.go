package driver

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/pki"
)

// serve answers handshakes on loopback and says where, and what else than a handshake it was sent.
func serve(t *testing.T, cfg *tls.Config) (address string, rest func() []byte) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan []byte, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			got <- nil
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		data, _ := io.ReadAll(tls.Server(conn, cfg))
		got <- data
	}()
	return l.Addr().String(), func() []byte { return <-got }
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	a, err := pki.New(time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		sends pki.Case
		edit  func(*tls.Config)
		says  string
	}{
		"TLS 1.3":              {pki.CrossSignedByExpired, func(*tls.Config) {}, "TLS 1.3, "},
		"TLS 1.2":              {pki.Expired1y, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, "TLS 1.2, "},
		"wants a certificate":  {pki.Good, func(c *tls.Config) { c.ClientAuth, c.MaxVersion = tls.RequireAnyClientCert, tls.VersionTLS12 }, "not completed"},
		"the wrong name":       {pki.WrongHost, func(*tls.Config) {}, "# what tls://127.0.0.1"},
		"another private key":  {pki.ReplacedKey, func(*tls.Config) {}, "not completed"},
		"a large one":          {pki.Large16K, func(*tls.Config) {}, "TLS 1.3"},
		"a wildcard by its IP": {pki.SelfSigned, func(*tls.Config) {}, "TLS 1.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, err := a.Server(c.sends, "127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			cfg := &tls.Config{Certificates: []tls.Certificate{*cert}}
			c.edit(cfg)
			address, rest := serve(t, cfg)
			got, err := OpenArtefact(Builtin(), testEnv(t, product.Part{Name: "api", Role: product.Endpoint, Driver: "endpoint", Address: "tls://" + address}))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(got.Data)
			if got.File != "tls://"+address || !strings.Contains(string(text), c.says) {
				t.Errorf("%s: %.200s", got.File, text)
			}
			for i, want := range cert.Certificate {
				var block *pem.Block
				if block, text = pem.Decode(text); block == nil || !bytes.Equal(block.Bytes, want) {
					t.Fatalf("certificate %d is not the one that was sent", i)
				}
			}
			if data := rest(); len(data) > 0 {
				t.Errorf("it sent %q", data)
			}
		})
	}
}

func TestEndpointIsNone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("220 mail.test\r\n"))
			conn.Close()
		}
	}()
	ask := func() error {
		_, err := OpenArtefact(Builtin(), testEnv(t, product.Part{Name: "api", Role: product.Endpoint, Driver: "endpoint", Address: l.Addr().String()}))
		return err
	}
	if err := ask(); err == nil || !strings.Contains(err.Error(), "hint: see that it speaks TLS there") {
		t.Errorf("of a server without TLS: %v", err)
	}
	l.Close()
	if err := ask(); err == nil || !strings.Contains(err.Error(), "hint: see that this machine reaches it") {
		t.Errorf("of nobody: %v", err)
	}
}
