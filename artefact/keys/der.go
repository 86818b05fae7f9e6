package keys

import (
	"crypto/x509"
	"encoding/binary"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const longest = 64 << 10 // bytes of a key or certificate

// sequenceAround gives the DER sequence whose contents begin at data[at:], and where it begins.
func sequenceAround(data []byte, at int) ([]byte, int, bool) {
	for _, head := range []int{4, 3, 2} {
		if from := at - head; from >= 0 && data[from] == 0x30 {
			if size, n, ok := derLength(data[from+1:]); ok && n+1 == head && size <= len(data)-at {
				return data[from : at+size], from, true
			}
		}
	}
	return nil, 0, false
}

// sequenceAt gives the DER sequence that begins at data[at:].
func sequenceAt(data []byte, at int) ([]byte, bool) {
	if at < 0 || at >= len(data) || data[at] != 0x30 {
		return nil, false
	}
	size, n, ok := derLength(data[at+1:])
	if !ok || size > len(data)-at-1-n {
		return nil, false
	}
	return data[at : at+1+n+size], true
}

// derLength reads a length in its shortest form, and says how many bytes that takes.
func derLength(b []byte) (size, n int, ok bool) {
	switch {
	case len(b) >= 1 && b[0] < 0x80:
		return int(b[0]), 1, true
	case len(b) >= 2 && b[0] == 0x81 && b[1] >= 0x80:
		return int(b[1]), 2, true
	case len(b) >= 3 && b[0] == 0x82 && b[1] != 0:
		return int(binary.BigEndian.Uint16(b[1:])), 3, true
	}
	return 0, 0, false
}

// found makes an item of the bytes of data from..from+size.
func found(from, size int) Item { return Item{Offset: int64(from), End: int64(from + size)} }

// private makes of a parser of one sort of private key a reader of the sequence around a mark.
func private(parse func(der []byte) (*Private, bool)) func(data []byte, at int) (Item, bool) {
	return func(data []byte, at int) (Item, bool) {
		der, from, ok := sequenceAround(data, at)
		if !ok {
			return Item{}, false
		}
		p, ok := parse(der)
		i := found(from, len(der))
		i.Private = p
		return i, ok
	}
}

var (
	readRSA   = private(func(der []byte) (*Private, bool) { return parseRSA(der, "DER") })
	readPKCS8 = private(func(der []byte) (*Private, bool) { return parsePKCS8(der, "DER") })
	readEC    = private(func(der []byte) (*Private, bool) { return parseEC(der, nil, "DER") })
)

// readCertificate is given the version, which begins the inner of two sequences.
func readCertificate(data []byte, at int) (Item, bool) {
	_, inner, ok := sequenceAround(data, at)
	if !ok {
		return Item{}, false
	}
	return certificateAround(data, inner)
}

func certificateAround(data []byte, inner int) (Item, bool) {
	der, from, ok := sequenceAround(data, inner)
	if !ok {
		return Item{}, false
	}
	cert, err := x509.ParseCertificate(der)
	i := found(from, len(der))
	i.Cert = cert
	if err == nil {
		// The certificate keeps the bytes it was parsed from: those must be its own.
		if i.Cert, err = x509.ParseCertificate(append([]byte(nil), der...)); err != nil {
			return Item{}, false
		}
	}
	return i, err == nil
}

// readOID is given an object identifier without its tag. What it belongs to begins a little before.
func readOID(data []byte, at int) (Item, bool) {
	for from := at - 1; from >= max(0, at-12); from-- {
		der, ok := sequenceAt(data, from)
		if !ok {
			continue
		}
		if k, ok := parseSPKI(der); ok {
			i := found(from, len(der))
			i.Public = &Public{"DER", k}
			return i, true
		}
	}
	for from := at - 4; from >= max(0, at-48); from-- { // a serial number of up to 21 bytes lies between
		if data[from] == 0x02 && from >= 4 {
			if _, inner, ok := sequenceAround(data, from); ok && inner >= 4 {
				if i, ok := certificateAround(data, inner); ok {
					return i, true
				}
			}
		}
	}
	return Item{}, false
}

// readRSAPublic reads an RSAPublicKey whose tag is one byte before the mark, which is its length and the tag of the modulus.
func readRSAPublic(data []byte, at int) (Item, bool) {
	der, ok := sequenceAt(data, at-1)
	if !ok {
		return Item{}, false
	}
	k, ok := parseRSAPublic(der)
	i := found(at-1, len(der))
	i.Public = &Public{"DER", k}
	return i, ok
}

// parseRSA reads an RSAPrivateKey (RFC 8017 appendix A.1.2).
func parseRSA(der []byte, form string) (*Private, bool) {
	var (
		in, seq cryptobyte.String = der, nil
		version int
		v       [8]*big.Int // modulus, exponents, primes, the rest of the Chinese remainder theorem
	)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(&version) || version > 1 {
		return nil, false
	}
	for i := range v {
		v[i] = new(big.Int)
		if !seq.ReadASN1Integer(v[i]) || v[i].Sign() <= 0 {
			return nil, false
		}
	}
	return rsaPrivate(v[0], v[1], v[2], v[3], v[4], form)
}

// rsaPrivate makes a key of its numbers, which must fit each other.
func rsaPrivate(n, e, d, p, q *big.Int, form string) (*Private, bool) {
	if n.BitLen() < 256 || n.BitLen() > 16384 || n.Bit(0) == 0 || e.BitLen() > 64 || e.Bit(0) == 0 || e.Cmp(big.NewInt(3)) < 0 || d.Cmp(n) >= 0 {
		return nil, false
	}
	one := big.NewInt(1)
	if p.Cmp(one) <= 0 || q.Cmp(one) <= 0 || new(big.Int).Mul(p, q).Cmp(n) != 0 {
		return nil, false
	}
	ed := new(big.Int).Mul(e, d)
	for _, prime := range []*big.Int{p, q} {
		if m := new(big.Int).Sub(prime, one); new(big.Int).Mod(ed, m).Cmp(one) != 0 {
			return nil, false
		}
	}
	return &Private{Form: form, Key: rsaKey(n, e), Secret: digest(d.Bytes())}, true
}

// parseRSAPublic reads an RSAPublicKey (RFC 8017 appendix A.1.1).
func parseRSAPublic(der []byte) (*Key, bool) {
	var in, seq cryptobyte.String = der, nil
	n, e := new(big.Int), new(big.Int)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(n) || !seq.ReadASN1Integer(e) || !seq.Empty() ||
		n.BitLen() < 256 || n.BitLen() > 16384 || n.Bit(0) == 0 || e.BitLen() > 64 || e.Bit(0) == 0 || e.Cmp(big.NewInt(3)) < 0 {
		return nil, false
	}
	return rsaKey(n, e), true
}
