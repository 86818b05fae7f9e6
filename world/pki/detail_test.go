package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

func TestMessageSizes(t *testing.T) {
	a := newAuthority(t)
	for _, name := range []string{"broker.x.test", "localhost", "127.0.0.1"} {
		size := func(c Case) int {
			cert, err := a.Server(c, name)
			if err != nil {
				t.Fatal(err)
			}
			return MessageSize(cert)
		}
		plain := size(Good)
		for _, tt := range []struct {
			c        Case
			min, max int
		}{
			{LargePlus20, plain*6/5 - 10, plain*6/5 + padSlack + 10}, // signatures vary in length from call to call
			{Large6K, 6144, 6144 + padSlack},
			{Large16K, 16384, 16384 + padSlack},
			{LargeSAN1000, 30_000, 35_000},
		} {
			if got := size(tt.c); got < tt.min || got > tt.max {
				t.Errorf("%s for %s: %d octets, want %d to %d", tt.c, name, got, tt.min, tt.max)
			}
		}
	}
	cert, err := a.Server(LargeSAN1000, "broker.x.test")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(cert.Leaf.DNSNames); n != 1000 || cert.Leaf.DNSNames[n-1] != "broker.x.test" {
		t.Errorf("%d names, want 1000 with the right one last", n)
	}
}

func TestStapleSaysRevoked(t *testing.T) {
	a := newAuthority(t)
	cert, err := a.Server(OCSPRevoked, "broker.test")
	if err != nil {
		t.Fatal(err)
	}
	r, err := ocsp.ParseResponseForCert(cert.OCSPStaple, cert.Leaf, a.int1.cert)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != ocsp.Revoked || r.RevocationReason != ocsp.KeyCompromise || !r.RevokedAt.Before(testNow) {
		t.Errorf("status %d, reason %d, revoked at %v", r.Status, r.RevocationReason, r.RevokedAt)
	}
	for what, at := range map[string]time.Time{"produced": r.ProducedAt, "this update": r.ThisUpdate} {
		if !at.Equal(testNow.Add(-time.Hour)) {
			t.Errorf("%s at %v, want an hour before %v", what, at, testNow)
		}
	}
	if !r.NextUpdate.After(testNow) {
		t.Errorf("next update %v has passed", r.NextUpdate)
	}
}

func TestSHA1SignatureIsRight(t *testing.T) {
	a := newAuthority(t)
	cert, err := a.Server(SHA1, "broker.test")
	if err != nil {
		t.Fatal(err)
	}
	if got := cert.Leaf.SignatureAlgorithm; got != x509.SHA1WithRSA {
		t.Fatalf("signature algorithm %v", got)
	}
	issuer, err := x509.ParseCertificate(cert.Certificate[1])
	if err != nil {
		t.Fatal(err)
	}
	// CheckSignature still does SHA-1, where CheckSignatureFrom refuses: the weakness must be the only flaw.
	if err := issuer.CheckSignature(x509.SHA1WithRSA, cert.Leaf.RawTBSCertificate, cert.Leaf.Signature); err != nil {
		t.Error(err)
	}
}

func TestImpostorLooksReal(t *testing.T) {
	a := newAuthority(t)
	good, err := a.Server(Good, "broker.test")
	if err != nil {
		t.Fatal(err)
	}
	bad, err := a.Server(UntrustedCA, "broker.test")
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(bad.Certificate[2])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bad.Leaf.RawIssuer, good.Leaf.RawIssuer) || !bytes.Equal(bad.Leaf.AuthorityKeyId, good.Leaf.AuthorityKeyId) {
		t.Error("the leaf's issuer differs from the real one")
	}
	if !bytes.Equal(root.RawSubject, a.r1.cert.RawSubject) || !bytes.Equal(root.SubjectKeyId, a.r1.cert.SubjectKeyId) {
		t.Error("the root differs from the real one in name or key identifier")
	}
}

func TestClientCertificates(t *testing.T) {
	a := newAuthority(t)
	for what, tt := range map[string]struct {
		notAfter time.Time
		want     string
	}{
		"good":     {testNow.Add(day), accepted},
		"past":     {testNow.Add(-time.Hour), expired},
		"long ago": {testNow.Add(-3 * year), expired},
	} {
		cert, err := a.Client("unit-0001", tt.notAfter)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cert.Leaf.Verify(x509.VerifyOptions{
			Roots: a.ClientPool(), CurrentTime: testNow, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		if got := class(err); got != tt.want {
			t.Errorf("%s: got %q, want %q", what, got, tt.want)
		}
		if cert.Leaf.Subject.CommonName != "unit-0001" || !cert.Leaf.NotAfter.Equal(tt.notAfter) {
			t.Errorf("%s: CN %q until %v", what, cert.Leaf.Subject.CommonName, cert.Leaf.NotAfter)
		}
	}
	if _, err := a.Client("", testNow); err == nil {
		t.Error("an empty id has a certificate")
	}
}

func TestClientPEMReadsBack(t *testing.T) {
	a := newAuthority(t)
	device, err := a.Client("unit-0001", testNow.Add(day))
	if err != nil {
		t.Fatal(err)
	}
	chain, key, err := ClientPEM(device)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	server, err := a.Server(Good, "broker.test")
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return testNow }
	_, arrived, err := talk(t,
		&tls.Config{Certificates: []tls.Certificate{*server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.ClientPool(), Time: now},
		&tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: deviceRoots(t, a), ServerName: "broker.test", Time: now})
	if err != nil || !arrived {
		t.Errorf("application data arrived: %v, error: %v", arrived, err)
	}
}
