package record

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// half is one direction of a session.
type half struct {
	aead   cipher.AEAD // nil until it is needed, and again when there is no room for it among the Ciphers
	seq    uint64      // of the next record
	secret [sha512.Size384]byte
	key    [32]byte
	iv     [12]byte
}

// sizes are those of a suite's hash and key, or zero for a suite that TLS 1.3 does not have.
func sizes(suite uint16) (hash, key int) {
	switch suite {
	case tls.TLS_AES_128_GCM_SHA256:
		return sha256.Size, 16
	case tls.TLS_AES_256_GCM_SHA384:
		return sha512.Size384, 32
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		return sha256.Size, 32
	}
	return 0, 0
}

// expand is HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
func expand(suite uint16, secret []byte, label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 ")+len(label)))
	info = append(info, "tls13 "...)
	info = append(info, label...)
	info = append(info, 0)
	var out []byte
	var err error
	if suite == tls.TLS_AES_256_GCM_SHA384 {
		out, err = hkdf.Expand(sha512.New384, secret, string(info), n)
	} else {
		out, err = hkdf.Expand(sha256.New, secret, string(info), n)
	}
	if err != nil {
		panic(fmt.Sprintf("record: HKDF-Expand of %d bytes: %v", n, err)) // only a length that no suite has
	}
	return out
}

// set starts a direction with a traffic secret (RFC 8446, section 7.3).
func (h *half) set(suite uint16, secret []byte) {
	_, size := sizes(suite)
	h.seq = 0
	copy(h.secret[:], secret)
	copy(h.key[:], expand(suite, secret, "key", size))
	copy(h.iv[:], expand(suite, secret, "iv", len(h.iv)))
	if h.aead != nil {
		h.aead = h.cipher(suite)
	}
}

// update goes on to the next generation of keys (RFC 8446, section 7.2).
func (h *half) update(suite uint16) {
	hash, _ := sizes(suite)
	h.set(suite, expand(suite, h.secret[:hash], "traffic upd", hash))
}

// cipher makes the cipher for the keys of now.
func (h *half) cipher(suite uint16) cipher.AEAD {
	var aead cipher.AEAD
	_, size := sizes(suite)
	block, err := cipher.Block(nil), error(nil)
	if suite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		aead, err = chacha20poly1305.New(h.key[:])
	} else if block, err = aes.NewCipher(h.key[:size]); err == nil {
		aead, err = cipher.NewGCM(block)
	}
	if err != nil {
		panic(fmt.Sprintf("record: cipher of suite %#x: %v", suite, err)) // only a key of a length that no suite has
	}
	return aead
}

// turn puts the number of the record into the iv, which makes it the nonce, or takes it out again. The nonce has no memory of its own,
// since it would be of the heap: a cipher is behind an interface.
func (h *half) turn() {
	low := h.iv[4:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^h.seq)
}

// Ciphers are those of the sessions that were used last; see [Session.Keep]. They are not safe for concurrent use: an event loop has its
// own.
type Ciphers struct {
	ready []*half // a ring; nil where none was yet
	next  int
}

// NewCiphers has room for n of them. A session needs two, of 1.3 KB each with AES-GCM.
func NewCiphers(n int) *Ciphers { return &Ciphers{ready: make([]*half, n)} }

// add makes room for the cipher of h, at the cost of the one that has been there longest.
func (c *Ciphers) add(h *half) {
	if old := c.ready[c.next]; old != nil {
		old.aead = nil
	}
	c.ready[c.next] = h
	c.next = (c.next + 1) % len(c.ready)
}
