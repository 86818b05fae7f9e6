//go:build linux

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"sync"
	"time"
)

// tlsSink is the far end of MQTT over TLS 1.3: a goroutine for each connection, with its own certificate, which it tells.
func tlsSink(s setup) error {
	certificate, authority, err := certify()
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13}
	l, err := tls.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port), config)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	var lock sync.Mutex
	m := newMQTT(s)
	m.Addr, m.CA = l.Addr().String(), string(authority)
	say(m.figures)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serveTLS(m, &lock, c)
		}
	}()
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		lock.Lock()
		m.Late = m.log.quantiles()
		say(m.figures)
		lock.Unlock()
	}
	return nil
}

func serveTLS(m *server, lock *sync.Mutex, c net.Conn) {
	defer c.Close()
	peer := &conn{fd: 1, send: func(b []byte) error { _, err := c.Write(b); return err }}
	lock.Lock()
	m.Accepted++
	m.Open++
	lock.Unlock()
	defer func() {
		lock.Lock()
		m.Open--
		lock.Unlock()
	}()
	in := make([]byte, 512)
	for {
		n, err := c.Read(in)
		if err != nil {
			return
		}
		lock.Lock()
		m.Bytes += int64(n)
		err = m.take(peer, in[:n])
		lock.Unlock()
		if err != nil {
			return
		}
	}
}

// certify makes a certificate for localhost, signed by itself.
func certify() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("generate key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench/swarm"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("sign certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}
