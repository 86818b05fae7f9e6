package phone

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"

	"github.com/shakedown-test/shakedown/world/pki"
)

const debugSigner = "Android Debug"

// debugAuthority holds the certificate that the tools of Android make for debugging.
func debugAuthority() (*pki.Fixed, error) {
	return pki.FixedHolder(nil, debugSigner, built, validUntil, func(c *x509.Certificate) {
		c.Subject = pkix.Name{Country: []string{"US"}, Organization: []string{"Android"}, CommonName: debugSigner}
	})
}

// envelope is a SignedData (RFC 5652) with a content and a certificate. It names the signer, and signs nothing.
func envelope(content, certificate []byte) []byte {
	sequence := func(parts ...[]byte) []byte { return der(0x30, parts...) }
	oid := func(last byte) []byte {
		return []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, last} // 1.2.840.113549.1.7
	}
	inside := sequence(oid(1))
	if content != nil {
		inside = sequence(oid(1), der(0xa0, der(0x04, content)))
	}
	signed := sequence([]byte{0x02, 0x01, 0x01}, der(0x31), inside, der(0xa0, certificate), der(0x31))
	return sequence(oid(2), der(0xa0, signed))
}

// der is a value with its tag and length.
func der(tag byte, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	b, err := asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), Tag: int(tag & 0x1f), IsCompound: tag&0x20 != 0, Bytes: body})
	if err != nil {
		panic(err) // a tag of one byte and bytes can always be written
	}
	return b
}
