// Package keys finds cryptographic keys and certificates in raw bytes: PEM (RFC 7468), DER (RFC 5280, 5915, 5958, 8017), the key files of
// OpenSSH (PROTOCOL.key) and of Dropbear. What it finds has been decoded, and as far as can be told the numbers fit each other: the word
// BEGIN RSA PRIVATE KEY in a program is no key.
package keys

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
)

// Key is a public key, or what is public of a private one.
type Key struct {
	Kind  string   // RSA, EC, Ed25519, X25519 or DSA
	Bits  int      // of the modulus or of the field of the curve
	Curve string   // of EC: P-256, or the number of its object identifier
	N, E  *big.Int // of RSA
	SPKI  []byte   // as SubjectPublicKeyInfo in DER; nil: what is public is not told
}

// String is what sort it is: "RSA 2048", "EC P-256".
func (k *Key) String() string {
	switch k.Kind {
	case "EC":
		return "EC " + k.Curve
	case "RSA", "DSA":
		return fmt.Sprintf("%s %d", k.Kind, k.Bits)
	}
	return k.Kind
}

// Fingerprint is the SHA-256 of the SubjectPublicKeyInfo in hex; empty: not known.
func (k *Key) Fingerprint() string {
	if k == nil || k.SPKI == nil {
		return ""
	}
	h := sha256.Sum256(k.SPKI)
	return hex.EncodeToString(h[:])
}

// Private is a private key.
type Private struct {
	Form      string // how it is written: PEM, DER, base64, OpenSSH, Dropbear
	Encrypted bool   // it takes a passphrase to use it
	Key       *Key   // nil: encrypted
	Secret    string // SHA-256 in hex of the secret number, or of the encrypted bytes: the same key has the same
}

// String names it: "RSA 2048 private key (PEM)".
func (p *Private) String() string {
	if p.Key == nil {
		return "encrypted private key (" + p.Form + ")"
	}
	return p.Key.String() + " private key (" + p.Form + ")"
}

// Public is a public key that stands by itself.
type Public struct {
	Form string
	Key  *Key
}

// Item is one of the three, with its place.
type Item struct {
	Offset, End int64
	Cert        *x509.Certificate
	Private     *Private
	Public      *Public
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
