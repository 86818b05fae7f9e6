package artefact

import (
	"github.com/shakedown-test/shakedown/artefact/keystore"
	"github.com/shakedown-test/shakedown/artefact/pins"
	"github.com/shakedown-test/shakedown/firmware/tree"
)

// Pin is the digest of a public key with its place.
type Pin struct {
	pins.Pin
	Node *tree.Node
}

// KeyStore is one with the node that it is.
type KeyStore struct {
	*keystore.Store
	Node *tree.Node
}

// findTrust looks for pins and key stores.
func findTrust(c content, found *Found) {
	for _, p := range pins.Find(c.node.Name, c.data) {
		if p.Offset+pins.Size > int64(c.fresh) { // else the stretch before had all of it
			p.Offset += c.at
			found.Pins = append(found.Pins, Pin{p, c.node})
		}
	}
	if c.at == 0 {
		if s := keystore.Parse(c.data); s != nil {
			found.KeyStores = append(found.KeyStores, KeyStore{s, c.node})
		}
	}
}
