package endpoint

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestStall(t *testing.T) {
	b := newBench(t, 1, &TLS{}, nil)
	undo := b.Stall()
	c := b.secure(nil)
	c.SetDeadline(clock.New(1).Deadline(30 * time.Millisecond))
	if err := c.Handshake(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("handshake gave %v, want silence", err)
	}
	b.await(evidence.Hello, "localhost")
	c.NetConn().Close()
	b.await(evidence.Close, "peer fin")
	undo()
	echo(t, b.secure(nil), "healed")
}

func TestStallUndoEndsTheStalled(t *testing.T) {
	b := newBench(t, 1, &TLS{}, nil)
	undo := b.Stall()
	c := b.secure(nil)
	done := make(chan error)
	go func() { done <- c.Handshake() }()
	b.await(evidence.Hello, "")
	undo()
	if err := <-done; err != io.EOF {
		t.Errorf("handshake gave %v, want EOF", err)
	}
}

func TestScripts(t *testing.T) {
	tests := []struct {
		name   string
		script func(b *bench) func()
		part   func(error) bool // what the part's handshake must end with
		kind   evidence.Kind
		text   string
	}{
		{
			"abort with fin", func(b *bench) func() { return b.AbortHello(false) },
			func(err error) bool { return err == io.EOF }, evidence.Close, "we fin",
		},
		{
			"abort with reset", func(b *bench) func() { return b.AbortHello(true) },
			func(err error) bool { return errors.Is(err, syscall.ECONNRESET) }, evidence.Close, "we reset",
		},
		{
			"alert", func(b *bench) func() { return b.AlertHello(48) },
			func(err error) bool { return strings.Contains(err.Error(), "unknown certificate authority") }, evidence.Impair, "alert: unknown certificate authority",
		},
		{
			"offer, refused", func(b *bench) func() { return b.Offer(tls.VersionTLS12, 0x003b) },
			func(err error) bool { return strings.Contains(err.Error(), "cipher suite") }, evidence.Alert, "handshake failure",
		},
		{
			"garbage", func(b *bench) func() { return b.Garbage([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) },
			func(err error) bool { return strings.Contains(err.Error(), "does not look like a TLS handshake") }, evidence.Alert, "peer closed without alert",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, 1, &TLS{}, nil)
			undo := tt.script(b)
			c := b.secure(nil)
			if err := c.Handshake(); err == nil || !tt.part(err) {
				t.Errorf("handshake gave %v", err)
			}
			c.NetConn().Close()
			b.await(evidence.Hello, "localhost")
			b.await(tt.kind, tt.text)
			undo()
			undo()
			echo(t, b.secure(nil), "healed")
		})
	}
}

func TestOfferTaken(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, 1, &TLS{Certificate: certifyKey(t, clock.New(1).Now(), key)}, nil)
	defer b.Offer(tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_CBC_SHA)()
	c := b.secure(func(c *tls.Config) { c.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA} })
	if err := c.Handshake(); err == nil {
		t.Error("the handshake was completed")
	}
	e := b.await(evidence.Secure, "went on: TLS 1.2 TLS_RSA_WITH_AES_128_CBC_SHA")
	if want := (State{Version: tls.VersionTLS12, CipherSuite: tls.TLS_RSA_WITH_AES_128_CBC_SHA}); e.Data != want {
		t.Errorf("state %+v", e.Data)
	}
}

func TestGarbageOnPlain(t *testing.T) {
	b := newBench(t, 1, nil, nil)
	undo := b.Garbage([]byte("junk"))
	c := b.dial()
	got := make([]byte, 4)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "junk" {
		t.Errorf("part read %q, %v", got, err)
	}
	undo()
	echo(t, b.dial(), "healed")
}
