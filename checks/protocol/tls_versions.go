package protocol

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/shakedown-test/shakedown/check"
	"github.com/shakedown-test/shakedown/product"
	"github.com/shakedown-test/shakedown/world/endpoint"
	"github.com/shakedown-test/shakedown/world/pki"
)

// TLSVersions leaves one modern TLS version at a time.
var TLSVersions = &check.Check{
	ID:    "protocol.tls-versions",
	Title: "Speaks TLS 1.2, and TLS 1.3 where the endpoint has nothing else",
	Why: "Most brokers speak 1.2 today and some will speak only 1.3 during the life of the product. " +
		"A device that is tied to one version cannot move with them.",
	Pass:         "application data within two attempts to an endpoint with TLS 1.2 only; the same with TLS 1.3 only is reported, not demanded",
	Fix:          "enable TLS 1.2 and 1.3 in the TLS library",
	Severity:     check.Major,
	Requirements: []string{"EN303645:5.5-3"},
	Rows:         []string{"tls.version.ceiling"},
	Sources:      []string{"RFC 9325 sections 3.1.1 and 3.1.2", "badssl.com: tls-v1-2"},
	Needs:        check.Needs{Real: product.Device, Speaks: product.TLS},
	Impact:       check.Disturbs,
	Typical:      15 * time.Second,
	Limit:        10 * time.Minute,
	Run:          tlsVersions,
}

func tlsVersions(ctx context.Context, t *check.T) error {
	cert, err := t.PKI.Server(pki.Good, t.Device.Part.Host)
	if err != nil {
		return err
	}
	for _, v := range []struct {
		version uint16
		judge   check.Judge
	}{
		{tls.VersionTLS12, check.Completed},
		{tls.VersionTLS13, check.Judge(check.Completed).As(check.Info)},
	} {
		presented := endpoint.VersionName(v.version) + " only"
		f, err := t.FaceTLS(ctx, presented, endpoint.TLS{Certificate: cert, MinVersion: v.version, MaxVersion: v.version})
		if err != nil {
			return err
		}
		t.Find(v.judge(f, presented)...)
	}
	return nil
}
