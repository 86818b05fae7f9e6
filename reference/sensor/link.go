package sensor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
)

// link is the way to the server: datagrams in, datagrams out.
type link struct {
	conn io.ReadWriteCloser
	in   chan []byte // closed when the link ended
	quit func()
	done chan struct{}
}

func newLink(conn io.ReadWriteCloser) *link {
	quit := make(chan struct{})
	l := &link{conn: conn, in: make(chan []byte, 16), quit: sync.OnceFunc(func() { close(quit) }), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		defer close(l.in)
		b := make([]byte, 1<<16)
		for {
			n, err := conn.Read(b)
			if err != nil {
				return
			}
			select {
			case l.in <- bytes.Clone(b[:n]):
			case <-quit:
				return
			}
		}
	}()
	return l
}

func (l *link) close() {
	l.quit()
	_ = l.conn.Close() // datagrams: nothing is lost by it
	<-l.done
}

// plain is UDP to and from the server alone.
type plain struct {
	net.PacketConn
	to net.Addr
}

// Read is that of io.Reader, a datagram at a time.
func (p *plain) Read(b []byte) (int, error) {
	for {
		n, from, err := p.ReadFrom(b)
		if err == nil && from.String() != p.to.String() {
			continue
		}
		if err != nil && !errors.Is(err, net.ErrClosed) && isRefused(err) {
			continue
		}
		return n, err
	}
}

// isRefused reports whether an error is that of an earlier datagram, which may be lost like any other.
func isRefused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout() && !errors.Is(err, net.ErrClosed) && op.Op == "read"
}

// Write is that of io.Writer, a datagram at a time.
func (p *plain) Write(b []byte) (int, error) { return p.WriteTo(b, p.to) }

// secure makes a DTLS session: by certificates where the sensor has one, else by the pre-shared key.
func (s *Sensor) secure(ctx context.Context, conn net.PacketConn) (*dtls.Conn, error) {
	interval, mtu := time.Second, handshakeMTU
	switch {
	case s.has("dtls-hello-storm"):
		interval = 2 * time.Second
	case s.has("dtls-large-flight"):
		mtu = 1200
	case s.has("dtls-no-fragments"):
		conn = unfragmented{conn}
	}
	options := []dtls.ClientOption{
		dtls.WithServerName(s.cfg.Name), dtls.WithFlightInterval(s.cfg.Clock.Wall(interval)), dtls.WithMTU(mtu),
		dtls.WithDisableRetransmitBackoff(s.has("dtls-hello-storm")),
	}
	if len(s.cfg.Cert) > 0 {
		cert, err := tls.X509KeyPair(s.cfg.Cert, s.cfg.CertKey)
		if err != nil {
			return nil, fmt.Errorf("read its certificate: %w", err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(s.cfg.Roots)
		options = append(options, dtls.WithCertificates(cert), dtls.WithRootCAs(roots),
			dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256))
	} else {
		options = append(options, dtls.WithPSK(func([]byte) ([]byte, error) { return s.cfg.Key, nil }),
			dtls.WithPSKIdentityHint([]byte(s.cfg.Identity)), dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8))
	}
	if !s.has("dtls-no-cid") {
		options = append(options, dtls.WithConnectionIDGenerator(dtls.OnlySendCIDGenerator()))
	}
	c, err := dtls.ClientWithOptions(conn, s.cfg.Server, options...)
	if err != nil {
		return nil, fmt.Errorf("begin DTLS: %w", err)
	}
	if err := c.HandshakeContext(ctx); err != nil {
		_ = c.Close() // the handshake's error says why
		return nil, fmt.Errorf("DTLS handshake: %w", err)
	}
	return c, nil
}

// unfragmented loses fragments of handshake messages: only by defect.
type unfragmented struct{ net.PacketConn }

// ReadFrom is that of net.PacketConn.
func (u unfragmented) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := u.PacketConn.ReadFrom(b)
		if err == nil && n > 25 && b[0] == 22 && binary.BigEndian.Uint16(b[3:]) == 0 {
			if !bytes.Equal(b[14:17], b[22:25]) { // message length and fragment length
				continue
			}
		}
		return n, from, err
	}
}
