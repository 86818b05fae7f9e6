package mcu

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// ESPSignature is one signature of an image (ESP-IDF, "Secure Boot V1" and "Secure Boot V2").
type ESPSignature struct {
	Scheme    string // "v1, ECDSA P-256", "v2, RSA 3072"
	KeyDigest string // SHA-256 in hex that the eFuses of the chip hold; empty: the scheme does not tell the key
	SPKI      []byte // the key as SubjectPublicKeyInfo; nil: not told
	Fits      bool   // v2: the digest is that of the image, and the signature is by the key
}

const (
	espSector    = 4096
	espBlock     = 1216 // bytes of a signature block of v2
	espBlockSum  = 1196 // of these first bytes it tells a CRC-32
	espBlockKey  = 36   // where the key stands
	espMostSigns = 3
)

// signatures reads what stands behind the image, and tells where that ends; 0: there is nothing.
func (i *ESPImage) signatures(o *tree.Opening) (int64, error) {
	sector := (i.Length + espSector - 1) &^ (espSector - 1)
	end := int64(0)
	var digest []byte
	for n := range int64(espMostSigns) {
		b, err := o.Read(sector+n*espBlock, espBlock)
		if err != nil || b[0] != 0xE7 || crc32.ChecksumIEEE(b[:espBlockSum]) != le32(b[espBlockSum:]) {
			break
		}
		if digest == nil {
			h := sha256.New()
			if err := feed(o, h, 0, sector); err != nil {
				return 0, err
			}
			digest = h.Sum(nil)
		}
		i.Signatures = append(i.Signatures, espSignatureV2(b, digest))
		end = min(sector+espSector, o.Size())
	}
	if end > 0 {
		return end, nil
	}
	const size = 68 // of a block of v1: the number 0, and a signature in two numbers
	b, err := o.Read(i.Length, size)
	if err != nil || le32(b) != 0 {
		return 0, nil
	}
	n := elliptic.P256().Params().N
	r, s := new(big.Int).SetBytes(b[4:36]), new(big.Int).SetBytes(b[36:])
	if r.BitLen() < 128 || s.BitLen() < 128 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return 0, nil // it fills up
	}
	i.Signatures = append(i.Signatures, ESPSignature{Scheme: "v1, ECDSA P-256"})
	return i.Length + size, nil
}

// espSignatureV2 reads a signature block of secure boot v2, whose numbers are little-endian.
func espSignatureV2(b, digest []byte) ESPSignature {
	fits := string(b[4:36]) == string(digest)
	number := func(from, to int) *big.Int { return new(big.Int).SetBytes(reversed(b[from:to])) }
	const (
		byRSA   = 2
		byECDSA = 3
	)
	switch b[1] {
	case byRSA:
		key := &rsa.PublicKey{N: number(espBlockKey, espBlockKey+384), E: int(le32(b[420:]) & 0x7fffffff)}
		s := ESPSignature{Scheme: "v2, RSA 3072", KeyDigest: hexSum(b[espBlockKey:812])}
		if key.N.BitLen() != 3072 || key.E < 2 {
			return s
		}
		s.SPKI, _ = x509.MarshalPKIXPublicKey(key)
		s.Fits = fits && rsa.VerifyPSS(key, crypto.SHA256, digest, reversed(b[812:espBlockSum]), &rsa.PSSOptions{SaltLength: sha256.Size}) == nil
		return s
	case byECDSA:
		const p192, p256 = 1, 2
		switch b[espBlockKey] {
		case p192:
			return ESPSignature{Scheme: "v2, ECDSA P-192", KeyDigest: hexSum(b[espBlockKey : espBlockKey+65]), Fits: fits}
		case p256:
			s := ESPSignature{Scheme: "v2, ECDSA P-256", KeyDigest: hexSum(b[espBlockKey : espBlockKey+65])}
			key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, reversed(b[37:69]), reversed(b[69:101])))
			if err != nil { // it is no point of the curve
				return s
			}
			s.SPKI, _ = x509.MarshalPKIXPublicKey(key)
			s.Fits = fits && ecdsa.Verify(key, digest, number(101, 133), number(133, 165))
			return s
		}
	}
	return ESPSignature{Scheme: "v2, of a kind that is not read: " + hex.EncodeToString(b[1:4])}
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}
