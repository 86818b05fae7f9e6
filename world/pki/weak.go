package pki

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"sync"
)

// The RSA keys of this process, by size.
var (
	rsa1024 = rsaKey(1024)
	rsa2048 = rsaKey(2048)
	rsa3072 = rsaKey(3072)
	rsa4096 = rsaKey(4096)
)

func rsaKey(bits int) func() (*rsa.PrivateKey, error) {
	return sync.OnceValues(func() (*rsa.PrivateKey, error) {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, fmt.Errorf("generate RSA key of %d bits: %w", bits, err)
		}
		return key, nil
	})
}

// withKey gives the server an RSA key. It may encipher, for clients that know only RSA key exchange.
func withKey(key func() (*rsa.PrivateKey, error)) func(*order) error {
	return func(o *order) error {
		k, err := key()
		if err != nil {
			return err
		}
		o.key = k
		o.tmpl.KeyUsage |= x509.KeyUsageKeyEncipherment
		return nil
	}
}

// The algorithm identifiers of RFC 4055 5 and RFC 3279 2.2.1, in DER. They differ in the last arc and have one length.
var (
	derSHA256WithRSA = []byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00}
	derSHA1WithRSA   = []byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00}
	oidSHA1WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
)

// sha1Signed uses an RSA intermediate: SHA-1 with RSA is what the old clients know, SHA-1 with ECDSA hardly anyone ever did.
func sha1Signed(a *Authority, o *order) (*tls.Certificate, error) {
	key, err := rsa2048()
	if err != nil {
		return nil, err
	}
	intermediate, err := certifyCA(&a.r1, caTemplate("Intermediate, RSA", o.live()), key)
	if err != nil {
		return nil, err
	}
	strong, err := intermediate.sign(o.tmpl, o.key.Public())
	if err != nil {
		return nil, err
	}
	weak, err := resignSHA1(strong, key)
	if err != nil {
		return nil, err
	}
	return bundle(o, weak, intermediate), nil
}

// resignSHA1 replaces the signature of a certificate that key has signed with SHA-256. crypto/x509 refuses to issue the result.
func resignSHA1(cert *x509.Certificate, key *rsa.PrivateKey) (*x509.Certificate, error) {
	if bytes.Count(cert.RawTBSCertificate, derSHA256WithRSA) != 1 {
		return nil, errors.New("re-sign with SHA-1: the certificate does not name sha256WithRSAEncryption exactly once")
	}
	tbs := bytes.Replace(cert.RawTBSCertificate, derSHA256WithRSA, derSHA1WithRSA, 1)
	sum := sha1.Sum(tbs)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA1, sum[:])
	if err != nil {
		return nil, fmt.Errorf("re-sign with SHA-1: %w", err)
	}
	der, err := asn1.Marshal(signedData{
		Data:      asn1.RawValue{FullBytes: tbs},
		Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidSHA1WithRSA, Parameters: asn1.NullRawValue},
		Signature: asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)},
	})
	if err != nil {
		return nil, fmt.Errorf("re-sign with SHA-1: %w", err)
	}
	return parse(der)
}

// signedData is the outer shape of a certificate (RFC 5280 4.1) and of a basic OCSP response (RFC 6960 4.2.1).
type signedData struct {
	Data      asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}
