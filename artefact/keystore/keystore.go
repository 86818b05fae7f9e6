// Package keystore says of key stores of Java (JKS and JCEKS: sun.security.provider.JavaKeyStore) and of PKCS #12 (RFC 7292) what can be said
// without their passwords. Their certificates, where these are not encrypted, lie in them as they are, for package keys to find.
package keystore

import (
	"bytes"
	"encoding/binary"
)

// Store is a key store.
type Store struct {
	Kind      string   // JKS, JCEKS or PKCS #12
	Aliases   []string // of its entries; PKCS #12 tells none
	Encrypted bool     // its certificates are, so that nothing is known of them
}

const mostEntries = 10_000

// Parse reads a key store at the beginning of data; nil: it is none.
func Parse(data []byte) *Store {
	if len(data) < 16 {
		return nil
	}
	switch binary.BigEndian.Uint32(data) {
	case 0xfeedfeed:
		return java("JKS", data)
	case 0xcececece:
		return java("JCEKS", data)
	}
	return pkcs12(data)
}

// java reads the entries: a tag, an alias, a date; of a key its bytes and a chain, of a trusted certificate that.
func java(kind string, data []byte) *Store {
	r := reader{data[4:], true}
	version, count := r.u32(), r.u32()
	if version != 1 && version != 2 || count > mostEntries {
		return nil
	}
	s := &Store{Kind: kind}
	for range count {
		tag, alias := r.u32(), r.text()
		r.take(8)
		certificates := uint32(1)
		switch tag {
		case 1:
			r.take(r.u32())
			certificates = r.u32()
		case 2:
		default:
			r.ok = false
		}
		for i := uint32(0); i < certificates && r.ok; i++ {
			if version == 2 {
				r.text()
			}
			r.take(r.u32())
		}
		if !r.ok {
			break // what was read is as good
		}
		s.Aliases = append(s.Aliases, string(alias))
	}
	if len(s.Aliases) == 0 && count > 0 {
		return nil
	}
	return s
}

// The beginnings of a PFX behind its length: version 3, and the type of what it holds, which is data or signed data.
var pfx = []byte{0x02, 0x01, 0x03, 0x30}

var (
	oidPKCS7         = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07}
	oidEncryptedData = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06}
)

func pkcs12(data []byte) *Store {
	if data[0] != 0x30 {
		return nil
	}
	head := data[:min(len(data), 32)]
	at := bytes.Index(head, pfx)
	if at < 2 || at > 6 || !bytes.Contains(head, oidPKCS7) {
		return nil
	}
	return &Store{Kind: "PKCS #12", Encrypted: bytes.Contains(data, oidEncryptedData)}
}

// reader takes values off the front of bytes. After one that is not there it gives nothing any more.
type reader struct {
	data []byte
	ok   bool
}

func (r *reader) take(n uint32) []byte {
	if !r.ok || uint64(n) > uint64(len(r.data)) {
		r.ok = false
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) text() []byte {
	b := r.take(2)
	if b == nil {
		return nil
	}
	return r.take(uint32(binary.BigEndian.Uint16(b)))
}
