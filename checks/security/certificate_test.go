package security

import (
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/judge"
	"github.com/shakedown-test/shakedown/world/pki"
)

func TestJudgeCertificates(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	root, err := pki.FixedAuthority(nil, "Root", now, now.AddDate(10, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	device := func(by *pki.Fixed, edit func(*x509.Certificate)) *x509.Certificate {
		f, err := pki.FixedHolder(by, "device", now, now.AddDate(1, 0, 0), func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
			edit(c)
		})
		if err != nil {
			t.Fatal(err)
		}
		return f.Cert
	}
	a, err := pki.New(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	chain, err := a.Server(pki.SHA1, "x.test")
	if err != nil {
		t.Fatal(err)
	}
	odd := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 1023), 0, 1)
	none := func(*x509.Certificate) {}
	for name, c := range map[string]struct {
		cert            *x509.Certificate
		keyed           bool
		weak, authority int
	}{
		"good":             {device(root, none), true, 0, 0},
		"a root":           {root.Cert, false, 0, 0},
		"SHA-1":            {chain.Leaf, false, 1, 0},
		"RSA 1024":         {device(root, func(c *x509.Certificate) { c.PublicKey = &rsa.PublicKey{N: odd, E: 65537} }), false, 1, 0},
		"an authority":     {device(root, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }), true, 0, 1},
		"signed by itself": {device(nil, func(c *x509.Certificate) {}), false, 0, 1},
		"a root with key":  {root.Cert, true, 0, 1},
	} {
		held := judge.Certificate{Certificate: c.cert, Use: judge.Own, Places: []string{"image"}, Keyed: c.keyed}
		if c.cert.IsCA {
			held.Use = judge.Anchor
		}
		if got := judgeWeakCertificate(c.cert, "image"); len(got) != c.weak {
			t.Errorf("%s: weak: %v", name, got)
		}
		if !deviceCertificate(held) {
			continue
		}
		if got := judgeDeviceCertificate(held); len(got) != c.authority {
			t.Errorf("%s: authority: %v", name, got)
		}
	}
}
