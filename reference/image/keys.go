package image

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
)

// The names of keys. A key is made from its name, so that every image has the same.
const (
	updateKey = "updates of the reference thermostat"
	deviceKey = "the thermostat, all of them"
	hostKey   = "SSH of the thermostat"
	sharedKey = "both products"
)

// privateEC is a key on P-256.
func privateEC(name string) *ecdsa.PrivateKey {
	scalar := sha256.Sum256([]byte(name))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:])
	if err != nil {
		panic(fmt.Sprintf("image: key %q: %v", name, err)) // the scalars of the names above are in range
	}
	return k
}

func privateEd25519(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func pkcs8(k crypto.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(fmt.Sprintf("image: write a key: %v", err)) // of the kinds above: it does not fail
	}
	return der
}

func spki(k crypto.PublicKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		panic(fmt.Sprintf("image: write a public key: %v", err))
	}
	return der
}

func publicEC(name string) []byte { return spki(privateEC(name).Public()) }

// weakRSA is a public key of 1024 bits. Its modulus is no product of two primes: nobody can use it.
func weakRSA() []byte {
	var n []byte
	for i := range 2 {
		h := sha512.Sum512([]byte{byte(i)})
		n = append(n, h[:]...)
	}
	n[0] |= 0x80
	n[127] |= 1
	return spki(&rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537})
}

func pemBlock(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// clientCertificate is one for a device, signed with its own key.
func clientCertificate() []byte {
	k := privateEd25519(sharedKey)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "reference-device"}, NotBefore: built, NotAfter: built.AddDate(20, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k) // Ed25519 takes no chance
	if err != nil {
		panic(fmt.Sprintf("image: make a certificate: %v", err))
	}
	return der
}

// dropbear is a host key of Dropbear: fields with their lengths.
func dropbear(k ed25519.PrivateKey) string {
	field := func(b []byte) string { return string([]byte{0, 0, 0, byte(len(b))}) + string(b) }
	return field([]byte("ssh-ed25519")) + field(k)
}
