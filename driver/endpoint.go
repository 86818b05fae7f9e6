package driver

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/shakedown-test/shakedown/product"
)

// answerWithin is the wall time in which an endpoint must have sent its certificates.
const answerWithin = 15 * time.Second

// readEndpoint asks a server for its certificates. What it sends is the artefact: see Record.
func readEndpoint(env Env) (Artefact, error) {
	host, port, err := product.ParseEndpoint(env.Part.Address)
	if err != nil {
		return Artefact{}, fmt.Errorf("ask endpoint %q: %w", env.Part.Name, err)
	}
	address := "tls://" + net.JoinHostPort(host, port)
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return Artefact{}, fmt.Errorf("ask %s for its certificates: %w\nhint: see that this machine reaches it", address, err)
	}
	defer conn.Close()
	if env.Part.Host != "" {
		host = env.Part.Host
	}
	text, err := Record(ctx, conn, host, address)
	return Artefact{File: address, Data: section(text), Close: nil}, err
}

// Record has a server at the other end of conn send its certificates for a host name, or without one for an IP address, and writes them down
// in the order in which they come, in PEM. Nothing is verified, and nothing is sent but the handshake, which is TLS 1.2 or 1.3; that the server
// wants a certificate of its client is no error.
func Record(ctx context.Context, conn net.Conn, host, address string) ([]byte, error) {
	var sent [][]byte
	cfg := &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // what is wrong with them is for checks to say
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			sent = raw
			return nil
		},
	}
	c := tls.Client(conn, cfg)
	err := c.HandshakeContext(ctx)
	if len(sent) == 0 {
		if err == nil {
			err = fmt.Errorf("none came")
		}
		return nil, fmt.Errorf("ask %s for its certificates: %w\nhint: see that it speaks TLS there", address, err)
	}
	version := "not completed: the server wants a certificate of its client"
	if err == nil {
		s := c.ConnectionState()
		version = fmt.Sprintf("%s, %s", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite))
		c.Close()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# what %s sends for %s\n# handshake: %s\n", address, host, version)
	for _, der := range sent {
		if err := pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			return nil, fmt.Errorf("write down the certificates of %s: %w", address, err)
		}
	}
	return b.Bytes(), nil
}

func section(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// openEndpoint is for the few who would start an endpoint.
func openEndpoint(env Env) (Driver, error) {
	return nil, fmt.Errorf("start part %q: it is an endpoint: %w", env.Part.Name, ErrCannot)
}
