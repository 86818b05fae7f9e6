package keys

import (
	"bytes"
	"crypto/ecdh"
	encoding "encoding/asn1"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// curve is what has to be known of an elliptic curve y² = x³ + ax + b over the integers modulo p to see whether a point lies on it.
type curve struct {
	oid     encoding.ObjectIdentifier
	name    string
	bits    int
	p, b    *big.Int // nil: not told here
	a       int64
	compute ecdh.Curve // nil: the standard library does not compute on it
}

func hexNumber(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("keys: not a number: " + s)
	}
	return n
}

// curves are those of SEC 2 and of RFC 5639 that certificates and keys are made on.
var curves = []curve{
	{
		encoding.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 1},
		"P-192", 192,
		hexNumber("fffffffffffffffffffffffffffffffeffffffffffffffff"), hexNumber("64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1"), -3, nil,
	},
	{
		encoding.ObjectIdentifier{1, 3, 132, 0, 33},
		"P-224", 224,
		hexNumber("ffffffffffffffffffffffffffffffff000000000000000000000001"), hexNumber("b4050a850c04b3abf54132565044b0b7d7bfd8ba270b39432355ffb4"), -3, nil,
	},
	{encoding.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, "P-256", 256, nil, nil, -3, ecdh.P256()},
	{encoding.ObjectIdentifier{1, 3, 132, 0, 34}, "P-384", 384, nil, nil, -3, ecdh.P384()},
	{encoding.ObjectIdentifier{1, 3, 132, 0, 35}, "P-521", 521, nil, nil, -3, ecdh.P521()},
	{
		encoding.ObjectIdentifier{1, 3, 132, 0, 10},
		"secp256k1", 256,
		hexNumber("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"), big.NewInt(7), 0, nil,
	},
	{encoding.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 7}, "brainpoolP256r1", 256, nil, nil, 0, nil},
	{encoding.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 11}, "brainpoolP384r1", 384, nil, nil, 0, nil},
	{encoding.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 13}, "brainpoolP512r1", 512, nil, nil, 0, nil},
}

func curveOf(oid encoding.ObjectIdentifier) *curve {
	for i := range curves {
		if curves[i].oid.Equal(oid) {
			return &curves[i]
		}
	}
	return nil
}

func curveNamed(ssh string) *curve {
	for i := range curves {
		if "nistp"+curves[i].name[2:] == ssh {
			return &curves[i]
		}
	}
	return nil
}

// holds says whether a point of SEC 1 section 2.3.3 lies on the curve, as far as that is known here.
func (c *curve) holds(point []byte) bool {
	size := (c.bits + 7) / 8
	switch {
	case len(point) == 1+size && (point[0] == 2 || point[0] == 3):
		return !plain(point[1:])
	case len(point) != 1+2*size || point[0] != 4 || plain(point[1:]):
		return false
	case c.compute != nil:
		_, err := c.compute.NewPublicKey(point)
		return err == nil
	case c.p == nil:
		return true
	}
	x, y := new(big.Int).SetBytes(point[1:1+size]), new(big.Int).SetBytes(point[1+size:])
	right := new(big.Int).Exp(x, big.NewInt(3), c.p)
	right.Add(right, new(big.Int).Mul(big.NewInt(c.a), x)).Add(right, c.b).Mod(right, c.p)
	return y.Mul(y, y).Mod(y, c.p).Cmp(right) == 0
}

// ecKey makes a key of a point.
func ecKey(oid encoding.ObjectIdentifier, point []byte) (*Key, bool) {
	c := curveOf(oid)
	if c == nil || !c.holds(point) {
		return nil, false
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidEC)
			b.AddASN1ObjectIdentifier(oid)
		})
		b.AddASN1BitString(point)
	})
	spki, err := b.Bytes()
	return &Key{Kind: "EC", Bits: c.bits, Curve: c.name, SPKI: spki}, err == nil
}

// ecPrivate makes a key of its number and, if it is told, of its point, which must fit the number where that can be computed.
func ecPrivate(scalar []byte, oid encoding.ObjectIdentifier, point []byte, form string) (*Private, bool) {
	c := curveOf(oid)
	if c == nil {
		return nil, false
	}
	size := (c.bits + 7) / 8
	scalar = bytes.TrimLeft(scalar, "\x00")
	if len(scalar) > size || len(scalar) < size-4 || plain(scalar) {
		return nil, false
	}
	if c.compute != nil {
		k, err := c.compute.NewPrivateKey(append(make([]byte, size-len(scalar)), scalar...))
		if err != nil {
			return nil, false
		}
		public := k.PublicKey().Bytes()
		if len(point) > 0 && point[0] == 4 && !bytes.Equal(point, public) {
			return nil, false
		}
		point = public
	}
	p := &Private{Form: form, Key: &Key{Kind: "EC", Bits: c.bits, Curve: c.name}, Secret: digest(scalar)}
	if point != nil {
		k, ok := ecKey(oid, point)
		if !ok {
			return nil, false
		}
		p.Key = k
	}
	return p, true
}
