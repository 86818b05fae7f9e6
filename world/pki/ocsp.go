package pki

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"
)

// The shapes of RFC 6960 4.2.1. They are written here because golang.org/x/crypto/ocsp stamps responses with the time of the
// machine, not of the testbed.
type (
	ocspResponse struct {
		Status asn1.Enumerated
		Bytes  ocspBytes `asn1:"explicit,tag:0"`
	}
	ocspBytes struct {
		Type     asn1.ObjectIdentifier
		Response []byte
	}
	ocspData struct {
		ResponderKey []byte    `asn1:"explicit,tag:2"`
		ProducedAt   time.Time `asn1:"generalized"`
		Responses    []ocspSingle
	}
	ocspSingle struct {
		ID         ocspCertID
		Revoked    ocspRevokedInfo `asn1:"tag:1"`
		ThisUpdate time.Time       `asn1:"generalized"`
		NextUpdate time.Time       `asn1:"generalized,explicit,tag:0"`
	}
	ocspCertID struct {
		Hash              pkix.AlgorithmIdentifier
		NameHash, KeyHash []byte
		Serial            *big.Int
	}
	ocspRevokedInfo struct {
		At     time.Time       `asn1:"generalized"`
		Reason asn1.Enumerated `asn1:"explicit,tag:0"`
	}
)

var (
	oidOCSPBasic       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidSHA1            = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidTLSFeature      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
)

// keyCompromise is a reason for revocation, RFC 5280 5.3.1.
const keyCompromise = 1

func ocspRevoked(a *Authority, o *order) (*tls.Certificate, error) {
	cert, err := o.signed(&a.int1, a.int1)
	if err != nil {
		return nil, err
	}
	cert.OCSPStaple, err = a.int1.revoked(cert.Leaf, o.now)
	return cert, err
}

// revoked is an OCSP response of one hour ago, good for a day, by the issuer itself: cert was revoked twelve hours ago, in the middle of its life so far.
func (i *issuer) revoked(cert *x509.Certificate, now time.Time) ([]byte, error) {
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(i.cert.RawSubjectPublicKeyInfo, &spki); err != nil {
		return nil, fmt.Errorf("make OCSP response: issuer's key: %w", err)
	}
	name, key := sha1.Sum(i.cert.RawSubject), sha1.Sum(spki.Key.RightAlign()) // RFC 6960 asks for SHA-1 here
	at := now.Add(-time.Hour).UTC().Truncate(time.Second)
	data, err := asn1.Marshal(ocspData{
		ResponderKey: key[:],
		ProducedAt:   at,
		Responses: []ocspSingle{{
			ID: ocspCertID{
				Hash:     pkix.AlgorithmIdentifier{Algorithm: oidSHA1, Parameters: asn1.NullRawValue},
				NameHash: name[:], KeyHash: key[:], Serial: cert.SerialNumber,
			},
			Revoked:    ocspRevokedInfo{At: at.Add(-11 * time.Hour), Reason: keyCompromise},
			ThisUpdate: at,
			NextUpdate: at.Add(day),
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("make OCSP response: %w", err)
	}
	sum := sha256.Sum256(data)
	sig, err := i.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("sign OCSP response: %w", err)
	}
	basic, err := asn1.Marshal(signedData{
		Data:      asn1.RawValue{FullBytes: data},
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256},
		Signature: asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)},
	})
	if err != nil {
		return nil, fmt.Errorf("make OCSP response: %w", err)
	}
	return asn1.Marshal(ocspResponse{Bytes: ocspBytes{oidOCSPBasic, basic}})
}

// mustStaple adds the TLS feature extension with status_request, number 5 (RFC 7633 4).
func mustStaple(o *order) error {
	o.tmpl.ExtraExtensions = []pkix.Extension{{Id: oidTLSFeature, Value: []byte{0x30, 3, 0x02, 1, 5}}}
	return nil
}
