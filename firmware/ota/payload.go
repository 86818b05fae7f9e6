package ota

import (
	"bytes"
	"encoding/binary"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// payload is Android's update for two slots, payload.bin (system/update_engine, update_metadata.proto): a header, a manifest in protocol
// buffers, and data. The manifest is read as far as it says what is in it; the partitions are not put together.
var payload = tree.Format{ID: "android-payload", Title: "Android update payload", Magic: []tree.Magic{{At: 0, Bytes: "CrAU\x00\x00\x00\x00\x00\x00\x00\x02"}}, Search: true, Open: openPayload}

// Payload is such an update.
type Payload struct {
	Partitions []string
	Delta      bool // it changes what is there, and does not replace it
	Signed     bool // the metadata have a signature
}

func openPayload(o *tree.Opening) error {
	const fixed = 24
	b, err := o.Read(0, fixed)
	if err != nil {
		return tree.ErrNot
	}
	size, signature := int64(binary.BigEndian.Uint64(b[12:])&(1<<40-1)), int64(binary.BigEndian.Uint32(b[20:]))
	if size > 64<<20 || size+signature > o.Size()-fixed {
		return tree.ErrNot
	}
	manifest, err := o.Read(fixed, int(size))
	if err != nil {
		return err
	}
	p := &Payload{Signed: signature > 0}
	const minor, partitions, name = 12, 13, 1
	ok := message(manifest, func(field uint64, number uint64, value []byte) {
		switch field {
		case minor:
			p.Delta = number != 0
		case partitions:
			message(value, func(field, _ uint64, value []byte) {
				if field == name && len(p.Partitions) < 1000 {
					p.Partitions = append(p.Partitions, string(bytes.ToValidUTF8(value, []byte("?"))))
				}
			})
		}
	})
	if !ok || len(p.Partitions) == 0 {
		return tree.ErrNot
	}
	o.Info(p)
	kind := "full"
	if p.Delta {
		kind = "delta"
	}
	o.Describe("%s, partitions %v", kind, p.Partitions)
	at := fixed + size + signature
	_, err = o.Part("operations", at, o.Size()-at)
	return err
}

// message calls each for every field of a message of protocol buffers, and says whether it is well-formed.
func message(b []byte, each func(field, number uint64, value []byte)) bool {
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		if n <= 0 {
			return false
		}
		b = b[n:]
		var number uint64
		var value []byte
		switch key & 7 {
		case 0, 2:
			if number, n = binary.Uvarint(b); n <= 0 {
				return false
			}
			b = b[n:]
			if key&7 == 2 {
				if number > uint64(len(b)) {
					return false
				}
				value, b = b[:number], b[number:]
			}
		case 1, 5:
			wide := 8
			if key&7 == 5 {
				wide = 4
			}
			if len(b) < wide {
				return false
			}
			b = b[wide:]
		default:
			return false
		}
		each(key>>3, number, value)
	}
	return true
}
