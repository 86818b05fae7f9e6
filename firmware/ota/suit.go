package ota

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// suit is an envelope of the IETF's Software Updates for the Internet of Things (draft-ietf-suit-manifest; labels as IANA registers them):
// a manifest, what authenticates it, and payloads.
var suit = tree.Format{ID: "suit", Title: "SUIT envelope", Magic: suitMagic(), Search: true, Open: openSUIT}

// SUIT is an envelope.
type SUIT struct {
	Signatures  []string // how the manifest is authenticated: "ES256", "HMAC 256/256"; none: it is not
	KeyIDs      []string // in hex, of those signatures that tell
	Sequence    uint64
	Vendors     []string // UUIDs in hex
	Classes     []string
	URIs        []string
	DigestFits  bool // the digest in the authentication wrapper is that of the manifest
	DigestKnown bool
}

const (
	suitTag      = 0xD8
	suitWrapper  = 2 // labels of the envelope
	suitManifest = 3
	suitMost     = 16 << 20 // bytes of an envelope that are read
)

// suitMagic are the beginnings: the tag 107 and a map, or a map whose first label is that of the wrapper or the manifest.
func suitMagic() (all []tree.Magic) {
	for n := byte(1); n <= 16; n++ {
		all = append(all, tree.Magic{At: 0, Bytes: string([]byte{suitTag, 107, 0xA0 + n})})
	}
	return all
}

func openSUIT(o *tree.Opening) error {
	size, ok := suitSize(o)
	if !ok {
		return tree.ErrNot
	}
	b, err := o.Read(0, size)
	if err != nil {
		return err
	}
	root, n, err := decode(b, 0, false)
	if err != nil || root.major != 6 || len(root.items) != 1 {
		return tree.ErrNot
	}
	envelope := root.items[0]
	raw, ok := envelope.get(suitManifest)
	manifest, decoded := raw.inner()
	if !ok || !decoded || manifest.major != 5 {
		return tree.ErrNot
	}
	version, ok := manifest.get(1)
	if !ok || version.major != 0 {
		return tree.ErrNot
	}
	s := &SUIT{}
	sequence, _ := manifest.get(2)
	s.Sequence = sequence.value
	s.manifest(manifest)
	if wrapper, ok := envelope.get(suitWrapper); ok {
		s.authentication(wrapper, raw)
	}
	if s.DigestKnown && !s.DigestFits {
		o.Note(raw.at, "the manifest does not fit the digest that is signed")
	}
	o.Info(s)
	o.Ends(int64(n))
	how := "not signed"
	if len(s.Signatures) > 0 {
		how = fmt.Sprintf("signed: %v", s.Signatures)
	}
	o.Describe("sequence %d, %s", s.Sequence, how)
	for i := 0; i+1 < len(envelope.items); i += 2 { // payloads that are part of it have names
		key, value := envelope.items[i], envelope.items[i+1]
		if key.major != 3 || value.major != 2 {
			continue
		}
		if _, err := o.Part(string(bytes.ToValidUTF8(key.bytes, []byte("?"))), value.at, int64(len(value.bytes))); err != nil {
			return err
		}
	}
	return nil
}

// suitSize follows the heads of the labels and values of the envelope to its end. All values are strings of bytes: most that only begins
// like an envelope is told by that, without being read.
func suitSize(o *tree.Opening) (int, bool) {
	begin, err := o.Read(0, 3)
	if err != nil {
		return 0, false
	}
	at := int64(3)
	for i := range 2 * int(begin[2]&31) {
		b, err := o.Read(at, int(min(9, o.Size()-at)))
		if err != nil || len(b) == 0 {
			return 0, false
		}
		major, short := b[0]>>5, int(b[0]&31)
		value, n := uint64(short), 1
		if short >= 24 {
			if n += 1 << (short - 24); short > 27 || len(b) < n {
				return 0, false
			}
			value = 0
			for _, c := range b[1:n] {
				value = value<<8 | uint64(c)
			}
		}
		at += int64(n)
		switch {
		case i%2 == 0 && major < 2: // a label
		case major == 2 && i%2 == 1, major == 3 && i%2 == 0:
			if value > suitMost || int64(value) > o.Size()-at {
				return 0, false
			}
			at += int64(value)
		default:
			return 0, false
		}
	}
	return int(at), at <= suitMost
}

// manifest looks for what the manifest says of devices and places, in whatever sequence of commands that stands.
func (s *SUIT) manifest(m item) {
	const common, shared = 3, 4
	if c, ok := m.get(common); ok {
		if c, ok = c.inner(); ok {
			if seq, ok := c.get(shared); ok {
				s.sequence(seq, 8)
			}
		}
	}
	for i := 0; i+1 < len(m.items); i += 2 {
		if k := m.items[i]; k.major == 0 && k.value >= 7 {
			s.sequence(m.items[i+1], 8)
		}
	}
}

// sequence reads commands and their arguments in turn.
func (s *SUIT) sequence(raw item, depth int) {
	seq, ok := raw.inner()
	if !ok || seq.major != 4 || depth == 0 {
		return
	}
	const (
		tryEach  = 15
		set      = 19
		override = 20
		run      = 32
	)
	for i := 0; i+1 < len(seq.items); i += 2 {
		arg := seq.items[i+1]
		switch seq.items[i].value {
		case set, override:
			s.parameters(arg)
		case tryEach:
			for _, branch := range arg.items {
				s.sequence(branch, depth-1)
			}
		case run:
			s.sequence(arg, depth-1)
		}
	}
}

func (s *SUIT) parameters(p item) {
	keep := func(all *[]string, v string) {
		if len(*all) < 100 && !slices.Contains(*all, v) {
			*all = append(*all, v)
		}
	}
	if v, ok := p.get(1); ok {
		keep(&s.Vendors, hex.EncodeToString(v.bytes))
	}
	if v, ok := p.get(2); ok {
		keep(&s.Classes, hex.EncodeToString(v.bytes))
	}
	if v, ok := p.get(21); ok && v.major == 3 {
		keep(&s.URIs, string(bytes.ToValidUTF8(v.bytes, []byte("?"))))
	}
}

// coseAlgorithms are those of IANA's registry that SUIT's profiles name, as -1 minus the number in CBOR.
var coseAlgorithms = map[uint64]string{6: "ES256", 34: "ES384", 35: "ES512", 7: "EdDSA", 45: "HSS-LMS", 36: "PS256", 8: "ESP256", 18: "Ed25519", 48: "ML-DSA-44", 49: "ML-DSA-65"}

var coseMACs = map[uint64]string{4: "HMAC 256/64", 5: "HMAC 256/256", 6: "HMAC 384/384", 7: "HMAC 512/512"}

// authentication reads the wrapper: a digest of the manifest, and objects of COSE (RFC 9052) that sign it.
func (s *SUIT) authentication(wrapper, manifest item) {
	list, ok := wrapper.inner()
	if !ok || list.major != 4 || len(list.items) == 0 {
		return
	}
	if d, ok := list.items[0].inner(); ok && d.major == 4 && len(d.items) == 2 {
		// The digest is over the manifest as a string of bytes, with its head.
		whole := append(head(2, uint64(len(manifest.bytes))), manifest.bytes...)
		const sha256ID, sha384ID, sha512ID = 15, 42, 43 // -16, -43, -44
		var sum []byte
		switch d.items[0].value {
		case sha256ID:
			h := sha256.Sum256(whole)
			sum = h[:]
		case sha384ID:
			h := sha512.Sum384(whole)
			sum = h[:]
		case sha512ID:
			h := sha512.Sum512(whole)
			sum = h[:]
		}
		if sum != nil && d.items[0].major == 1 {
			s.DigestKnown, s.DigestFits = true, bytes.Equal(sum, d.items[1].bytes)
		}
	}
	for _, raw := range list.items[1:] {
		block, ok := raw.inner()
		if !ok {
			continue
		}
		for block.major == 6 && len(block.items) == 1 {
			block = block.items[0]
		}
		if block.major != 4 || len(block.items) < 4 || len(s.Signatures) == 16 {
			continue
		}
		s.block(block)
	}
}

// block reads an object of COSE: protected head, other head, payload, and a signature or MAC, or a list of signatures with heads of their
// own.
func (s *SUIT) block(block item) {
	last := block.items[3]
	if last.major == 4 && len(last.items) > 0 && last.items[0].major == 4 {
		for _, one := range last.items {
			if one.major == 4 && len(one.items) == 3 && len(s.Signatures) < 16 {
				s.signature(one.items[0], one.items[1], one.items[2])
			}
		}
		return
	}
	s.signature(block.items[0], block.items[1], last)
}

// signature takes one with its heads.
func (s *SUIT) signature(head, other, signature item) {
	how := "of a kind that is not read"
	protected, _ := head.inner()
	if a, ok := protected.get(1); ok {
		switch {
		case a.major == 1 && coseAlgorithms[a.value] != "":
			how = coseAlgorithms[a.value]
		case a.major == 0 && coseMACs[a.value] != "":
			how = coseMACs[a.value]
		}
	}
	if signature.major == 2 && len(signature.bytes) == 0 {
		return
	}
	s.Signatures = append(s.Signatures, how)
	for _, where := range []item{protected, other} {
		if id, ok := where.get(4); ok && id.major == 2 {
			s.KeyIDs = append(s.KeyIDs, hex.EncodeToString(id.bytes))
		}
	}
}

// head is how CBOR begins an item with a number in the shortest form.
func head(major byte, n uint64) []byte {
	switch {
	case n < 24:
		return []byte{major<<5 | byte(n)}
	case n < 1<<8:
		return []byte{major<<5 | 24, byte(n)}
	case n < 1<<16:
		return []byte{major<<5 | 25, byte(n >> 8), byte(n)}
	default:
		return []byte{major<<5 | 26, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	}
}
