package device

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"time"
)

// suites are the cipher suites for TLS 1.2: forward secret and authenticated, nothing else. TLS 1.3 has no others.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
}

// weakSuites are what a copied configuration offers.
var weakSuites = []uint16{
	tls.TLS_RSA_WITH_RC4_128_SHA,
	tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA,
	tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
}

// trust is what the device needs for TLS, made once at power-on.
type trust struct {
	roots   []*x509.Certificate
	own     []tls.Certificate // its client certificate, none or one
	tickets tls.ClientSessionCache
}

// newTrust reads the authorities and the client certificate.
func newTrust(cfg *Config) (*trust, error) {
	t := &trust{tickets: tls.NewLRUClientSessionCache(1)}
	if cfg.has("tls-ticket-required") {
		t.tickets = &ticketMemory{ClientSessionCache: t.tickets}
	}
	for rest := cfg.Roots; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read root certificate: %w", err)
		}
		t.roots = append(t.roots, cert)
	}
	if len(t.roots) == 0 {
		return nil, errors.New("no root certificate")
	}
	if cfg.has("tls-first-root-only") {
		t.roots = t.roots[:1]
	}
	if len(cfg.ClientCert) == 0 || cfg.has("tls-client-cert-omitted") {
		return t, nil
	}
	pair, err := tls.X509KeyPair(cfg.ClientCert, cfg.ClientKey)
	if err != nil {
		return nil, fmt.Errorf("read client certificate: %w", err)
	}
	t.own = []tls.Certificate{pair}
	return t, nil
}

// expiry is when the device's own certificate ends; the zero time without one.
func (t *trust) expiry() time.Time {
	if len(t.own) == 0 || t.own[0].Leaf == nil {
		return time.Time{}
	}
	return t.own[0].Leaf.NotAfter
}

// config is the client's side of the handshake with a server. The library's own verification is off because verify does the same step
// by step, so that a planted defect can leave out a single one.
func (t *trust) config(cfg *Config, host string, now func() time.Time) *tls.Config {
	c := &tls.Config{
		ServerName:         host,
		MinVersion:         tls.VersionTLS12,
		CipherSuites:       suites,
		Certificates:       t.own,
		ClientSessionCache: t.tickets,
		Time:               now,
		InsecureSkipVerify: true,
	}
	v := &verifier{cfg: cfg, roots: t.roots, host: host, now: now}
	c.VerifyConnection = v.verify
	switch {
	case cfg.has("tls-old-versions"):
		c.MinVersion, c.CipherSuites = tls.VersionTLS10, nil // the old versions have none of the good suites
	case cfg.has("tls-13-only"):
		c.MinVersion = tls.VersionTLS13
	case cfg.has("tls-weak-ciphers"):
		c.CipherSuites = append(weakSuites, suites...)
		c.MaxVersion = tls.VersionTLS12
	case cfg.has("tls-no-sni"):
		c.ServerName = ""
	}
	v.tickets, _ = t.tickets.(*ticketMemory)
	return c
}

// secureAPI is secure for the API, which is another server: it has a session cache of its own.
func (d *Device) secureAPI(ctx context.Context, raw net.Conn, host string) (net.Conn, error) {
	cfg := d.trust.config(&d.cfg, host, d.src.atLeast)
	cfg.ClientSessionCache = nil
	if d.cfg.Proxy != "" && d.has("http-proxy-any-certificate") || d.has("http-any-certificate") {
		cfg.VerifyConnection = nil
	}
	conn := tls.Client(raw, cfg)
	if err := conn.HandshakeContext(ctx); err != nil {
		if _, foreign := errors.AsType[x509.UnknownAuthorityError](err); foreign && d.has("http-foreign-ca-crash") {
			d.crashLater("nil issuer")
		}
		return nil, fmt.Errorf("TLS handshake with %s: %w", host, err)
	}
	return conn, nil
}

// secure makes a TLS connection of raw.
func (d *Device) secure(ctx context.Context, raw net.Conn, host string) (net.Conn, error) {
	var under net.Conn = raw
	if d.has("tls-record-4k") || d.has("tls-no-split-handshake") {
		under = &smallBuffer{Conn: raw, cfg: &d.cfg}
	}
	config := d.trust.config(&d.cfg, host, d.src.atLeast)
	if d.has("clock-unset-no-verify") && !d.src.known() {
		config.VerifyConnection = nil
	}
	conn := tls.Client(under, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS handshake with %s: %w", host, err)
	}
	return conn, nil
}
