package device

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/world/clock"
	"github.com/shakedown-test/shakedown/world/pki"
)

const brokerName = "broker.reference.test"

var authority = sync.OnceValues(func() (*pki.Authority, error) { return pki.New(clock.New(1).Now) })

// handshake reports how the device's side of a TLS handshake ends with a server that presents a case.
func handshake(t *testing.T, c pki.Case, server *tls.Config, defects ...string) error {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := a.Server(c, brokerName)
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.New(1)
	cfg := Config{ID: "t1", TLS: true, Roots: a.RootsPEM(), Clock: clk, Defects: map[string]bool{}}
	for _, defect := range defects {
		cfg.Defects[defect] = true
	}
	d := New(cfg)
	d.src = newSource(clk, time.Time{})
	if d.trust, err = newTrust(&d.cfg); err != nil {
		t.Fatal(err)
	}
	near, far := loopback(t)
	server = server.Clone()
	server.Certificates = []tls.Certificate{*cert}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s := tls.Server(far, server)
		_ = s.Handshake() // the device's side is judged
		_, _ = s.Read(make([]byte, 1))
		_ = far.Close()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := d.secure(ctx, near, brokerName)
	if err == nil {
		_, err = conn.Write([]byte("x"))
	}
	_ = near.Close()
	<-done
	return err
}

// loopback is a TCP connection.
func loopback(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// taken are the cases that a good device accepts; it refuses all others.
var taken = map[pki.Case]bool{
	pki.Good: true, pki.UnorderedChain: true, pki.RootExpiredCrossSigned: true, pki.SecondRoot: true, pki.CrossSignedByExpired: true,
	pki.LargePlus20: true, pki.Large6K: true, pki.Large16K: true, pki.LargeSAN1000: true,
	pki.ECDSAP256: true, pki.RSA2048: true, pki.RSA3072: true, pki.RSA4096: true,
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	for _, c := range pki.Cases() {
		t.Run(string(c), func(t *testing.T) {
			t.Parallel()
			if err := handshake(t, c, &tls.Config{}); (err == nil) != taken[c] {
				t.Errorf("%s: %v", c.Text(), err)
			}
		})
	}
}

// TestCertificateDefects holds each defect of the verification to what it is said to do, and to nothing more than that for a good
// certificate.
func TestCertificateDefects(t *testing.T) {
	for defect, flips := range map[string][]pki.Case{
		"tls-no-verify":           {pki.Expired1h, pki.SelfSigned, pki.UntrustedCA, pki.WrongHost},
		"tls-no-hostname":         {pki.WrongHost, pki.OtherRealCert, pki.CNOnly},
		"tls-no-dates":            {pki.Expired1h, pki.Expired1y, pki.NotYetValid, pki.IntermediateExpired, pki.RootExpiredOnly},
		"tls-no-not-before":       {pki.NotYetValid},
		"tls-leaf-dates-only":     {pki.IntermediateExpired, pki.RootExpiredOnly},
		"tls-self-signed":         {pki.SelfSigned},
		"tls-issuer-by-name":      {pki.UntrustedCA},
		"tls-host-prefix":         {pki.SuffixName},
		"tls-cn-fallback":         {pki.CNMatchSANMismatch, pki.CNOnly},
		"tls-wildcard-anything":   {pki.WildcardBare, pki.WildcardTLD, pki.WildcardPartial},
		"tls-nul-in-name":         {pki.NulInSAN},
		"tls-leaf-as-ca":          {pki.LeafAsCA},
		"tls-no-path-len":         {pki.IntermediatePathLen},
		"tls-no-name-constraints": {pki.IntermediateNameConstraint},
		"tls-no-cert-sign":        {pki.IntermediateNoCertSign},
		"tls-no-eku":              {pki.ClientAuthOnly},
		"tls-no-critical":         {pki.CriticalExtension},
		"tls-sha1":                {pki.SHA1},
		"tls-rsa-1024":            {pki.RSA1024},
		"tls-no-ocsp":             {pki.OCSPRevoked, pki.MustStaple},
		"tls-no-cross-signing":    {pki.RootExpiredCrossSigned},
		"tls-first-root-only":     {pki.SecondRoot},
		"tls-chain-in-order":      {pki.UnorderedChain},
		"tls-cert-2k":             {pki.Large6K, pki.LargeSAN1000},
		"tls-no-rsa-4096":         {pki.RSA4096},
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			if err := handshake(t, pki.Good, &tls.Config{}, defect); err != nil {
				t.Errorf("good certificate: %v", err)
			}
			for _, c := range flips {
				if err := handshake(t, c, &tls.Config{}, defect); (err == nil) == taken[c] {
					t.Errorf("%s: %v, as without the defect", c, err)
				}
			}
		})
	}
}

func TestTLSDefects(t *testing.T) {
	old := &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10}
	v12 := &tls.Config{MaxVersion: tls.VersionTLS12}
	rc4 := &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA}}
	for _, c := range []struct {
		name   string
		server *tls.Config
		cert   pki.Case
		defect string
		taken  bool // with the defect; without it is the opposite
	}{
		{"TLS 1.0", old, pki.RSA2048, "tls-old-versions", true},
		{"TLS 1.2", v12, pki.Good, "tls-13-only", false},
		{"RC4", rc4, pki.RSA2048, "tls-weak-ciphers", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := handshake(t, c.cert, c.server); (err == nil) == c.taken {
				t.Errorf("without the defect: %v", err)
			}
			if err := handshake(t, c.cert, c.server, c.defect); (err == nil) != c.taken {
				t.Errorf("with the defect: %v", err)
			}
		})
	}
}
