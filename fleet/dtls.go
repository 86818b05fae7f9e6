package fleet

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/pion/dtls/v3"
)

// protection gives what secures a connection of goroutines: TLS, DTLS or, where it is nil, nothing.
func (s *shard) protection(i int32) func(context.Context, net.Conn) (net.Conn, error) {
	if s.classOf(i).dtls {
		return s.dtls(i)
	}
	security := s.security(i)
	if security == nil {
		return nil
	}
	return func(ctx context.Context, nc net.Conn) (net.Conn, error) {
		cfg, err := security()
		if err != nil {
			return nil, err
		}
		c := tls.Client(nc, cfg)
		return c, c.HandshakeContext(ctx)
	}
}

// dtls is DTLS 1.2 with a pre-shared key, whose identity is the id of the device, or with certificates.
func (s *shard) dtls(i int32) func(context.Context, net.Conn) (net.Conn, error) {
	c, who, v := s.classOf(i), s.identity(i), s.vars(s.number(i))
	psk := string(c.who.psk.Append(nil, &v))
	return func(ctx context.Context, nc net.Conn) (net.Conn, error) {
		options := []dtls.ClientOption{
			dtls.WithServerName(c.tls.ServerName), dtls.WithFlightInterval(time.Second), dtls.WithMTU(handshakeMTU),
			dtls.WithConnectionIDGenerator(dtls.OnlySendCIDGenerator()),
		}
		if psk != "" {
			key, err := hex.DecodeString(psk)
			if err != nil {
				return nil, errors.New("a pre-shared key that is not hex")
			}
			options = append(options, dtls.WithPSK(func([]byte) ([]byte, error) { return key, nil }), dtls.WithPSKIdentityHint([]byte(who.ID)),
				dtls.WithCipherSuites(dtls.TLS_PSK_WITH_AES_128_CCM_8, dtls.TLS_PSK_WITH_AES_128_CCM, dtls.TLS_PSK_WITH_AES_128_GCM_SHA256))
		} else {
			options = append(options, dtls.WithCipherSuites(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
				dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256))
			if c.tls.RootCAs != nil {
				options = append(options, dtls.WithRootCAs(c.tls.RootCAs))
			}
			cert, err := c.files.Certificate(who.ID, who.Cert, who.Key)
			if err != nil {
				return nil, err
			}
			if cert != nil {
				options = append(options, dtls.WithCertificates(*cert))
			}
		}
		conn, err := dtls.ClientWithOptions(&packets{nc}, nc.RemoteAddr(), options...)
		if err != nil {
			return nil, fmt.Errorf("begin DTLS: %w", err)
		}
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says why
			if errors.Is(err, context.DeadlineExceeded) {
				err = errors.New("no answer to DTLS handshake in time")
			}
			return nil, err
		}
		return conn, nil
	}
}

// handshakeMTU is the largest datagram of a handshake, which every path takes.
const handshakeMTU = 1200

// packets is a connected socket as a net.PacketConn that has one peer.
type packets struct{ net.Conn }

// ReadFrom is that of net.PacketConn.
func (p *packets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, p.RemoteAddr(), err
}

// WriteTo is that of net.PacketConn.
func (p *packets) WriteTo(b []byte, _ net.Addr) (int, error) { return p.Write(b) }
