package keys

import (
	"crypto/ed25519"
	"crypto/x509"
	encoding "encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidRSA     = encoding.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC      = encoding.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidDSA     = encoding.ObjectIdentifier{1, 2, 840, 10040, 4, 1}
	oidEd25519 = encoding.ObjectIdentifier{1, 3, 101, 112}
	oidX25519  = encoding.ObjectIdentifier{1, 3, 101, 110}
)

// algorithm reads an AlgorithmIdentifier. Of EC curve is its parameter.
func algorithm(in *cryptobyte.String) (oid, curve encoding.ObjectIdentifier, ok bool) {
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil, false
	}
	if oid.Equal(oidEC) && !seq.ReadASN1ObjectIdentifier(&curve) {
		return nil, nil, false
	}
	return oid, curve, true
}

// parsePKCS8 reads a PrivateKeyInfo or OneAsymmetricKey (RFC 5958 section 2).
func parsePKCS8(der []byte, form string) (*Private, bool) {
	var (
		in, seq, key cryptobyte.String = der, nil, nil
		version      int
	)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(&version) || version > 1 {
		return nil, false
	}
	oid, curve, ok := algorithm(&seq)
	if !ok || !seq.ReadASN1(&key, asn1.OCTET_STRING) {
		return nil, false
	}
	switch {
	case oid.Equal(oidRSA):
		return parseRSA(key, form)
	case oid.Equal(oidEC):
		return parseEC(key, curve, form)
	case oid.Equal(oidEd25519), oid.Equal(oidX25519):
		var seed cryptobyte.String
		if !key.ReadASN1(&seed, asn1.OCTET_STRING) || !key.Empty() || len(seed) != 32 || plain(seed) {
			return nil, false
		}
		if oid.Equal(oidX25519) {
			return &Private{Form: form, Key: &Key{Kind: "X25519", Bits: 255}, Secret: digest(seed)}, true
		}
		return ed25519Private(seed, form), true
	case oid.Equal(oidDSA):
		x := new(big.Int)
		if !key.ReadASN1Integer(x) || !key.Empty() || x.BitLen() < 100 {
			return nil, false
		}
		return &Private{Form: form, Key: &Key{Kind: "DSA", Bits: x.BitLen()}, Secret: digest(x.Bytes())}, true
	}
	return nil, false
}

// plain says whether bytes are too regular for a key: all the same, or counting, as in the templates that libraries bring along.
func plain(b []byte) bool {
	same, counts := true, true
	for i := 1; i < len(b); i++ {
		same, counts = same && b[i] == b[0], counts && b[i] == b[i-1]+1
	}
	return same || counts
}

func ed25519Private(seed []byte, form string) *Private {
	public, _ := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return &Private{Form: form, Key: ed25519Key(public), Secret: digest(seed)}
}

func ed25519Key(public []byte) *Key {
	spki, _ := x509.MarshalPKIXPublicKey(ed25519.PublicKey(public)) // of 32 bytes: it does not fail
	return &Key{Kind: "Ed25519", Bits: 256, SPKI: spki}
}

// parseEC reads an ECPrivateKey (RFC 5915 section 3), whose curve may stand outside of it.
func parseEC(der []byte, curve encoding.ObjectIdentifier, form string) (*Private, bool) {
	var (
		in, seq, scalar, params, public cryptobyte.String = der, nil, nil, nil, nil
		version                         int
		hasParams, hasPublic            bool
	)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(&version) || version != 1 || !seq.ReadASN1(&scalar, asn1.OCTET_STRING) ||
		!seq.ReadOptionalASN1(&params, &hasParams, asn1.Tag(0).Constructed().ContextSpecific()) ||
		!seq.ReadOptionalASN1(&public, &hasPublic, asn1.Tag(1).Constructed().ContextSpecific()) {
		return nil, false
	}
	if hasParams && !params.ReadASN1ObjectIdentifier(&curve) || curve == nil {
		return nil, false
	}
	var point []byte
	if hasPublic && !public.ReadASN1BitStringAsBytes(&point) {
		return nil, false
	}
	return ecPrivate(scalar, curve, point, form)
}

// parseSPKI reads a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
func parseSPKI(der []byte) (*Key, bool) {
	var (
		in, seq cryptobyte.String = der, nil
		key     []byte
	)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return nil, false
	}
	oid, curve, ok := algorithm(&seq)
	if !ok || !seq.ReadASN1BitStringAsBytes(&key) || !seq.Empty() {
		return nil, false
	}
	switch {
	case oid.Equal(oidRSA):
		return parseRSAPublic(key)
	case oid.Equal(oidEC):
		return ecKey(curve, key)
	case oid.Equal(oidEd25519) && len(key) == ed25519.PublicKeySize && !plain(key):
		return ed25519Key(key), true
	}
	return nil, false
}

// rsaKey makes a key of its numbers.
func rsaKey(n, e *big.Int) *Key {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidRSA)
			b.AddASN1NULL()
		})
		b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) {
			b.AddUint8(0)
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1BigInt(n)
				b.AddASN1BigInt(e)
			})
		})
	})
	return &Key{Kind: "RSA", Bits: n.BitLen(), N: n, E: e, SPKI: b.BytesOrPanic()} // numbers of which the size is bounded: it does not fail
}

// OfCertificate is the key that a certificate is for; nil: of a kind that is not known here.
func OfCertificate(c *x509.Certificate) *Key {
	k, _ := parseSPKI(c.RawSubjectPublicKeyInfo)
	return k
}
