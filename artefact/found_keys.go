package artefact

import (
	"crypto/x509"

	"github.com/shakedown-test/shakedown/artefact/keys"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Certificate is an X.509 certificate with its place.
type Certificate struct {
	Cert   *x509.Certificate
	Node   *tree.Node
	Offset int64 // in the data of the node
}

// PrivateKey is one that decodes, or that is encrypted.
type PrivateKey struct {
	*keys.Private
	Node   *tree.Node
	Offset int64
}

// PublicKey is one that stands by itself, not in a certificate.
type PublicKey struct {
	*keys.Public
	Node   *tree.Node
	Offset int64
}

const mostKeys = 10_000 // of a leaf: who has more makes fun of us

// itemWeight is what it takes in memory.
func itemWeight(i keys.Item) int {
	if i.Cert != nil {
		return certificateWeight + len(i.Cert.Raw)
	}
	return keyWeight
}

// addKeys keeps what keys were found in a content.
func (f *Found) addKeys(c content, items []keys.Item) {
	for n, i := range keys.Sort(items) {
		at := c.at + i.Offset
		switch {
		case n >= mostKeys:
			return
		case i.End <= int64(c.fresh): // the stretch before had all of it
		case i.Private != nil && i.Private.Key.Harmless():
		case i.Cert != nil:
			f.Certificates = append(f.Certificates, Certificate{i.Cert, c.node, at})
		case i.Private != nil:
			f.PrivateKeys = append(f.PrivateKeys, PrivateKey{i.Private, c.node, at})
		default:
			f.PublicKeys = append(f.PublicKeys, PublicKey{i.Public, c.node, at})
		}
	}
}
