package flash

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
)

const ubiTestBlock = 8192 // a physical block; its data begin at 2048

type ubiTestLEB struct {
	volume, number uint32
	sequence       uint64
	content        string
	static, copied bool
}

// madeUBI makes an image of blocks; one without content is free.
func madeUBI(sequence uint32, blocks ...ubiTestLEB) []byte {
	var image []byte
	seal := func(b []byte) { binary.BigEndian.PutUint32(b[60:], ^crc32.ChecksumIEEE(b[:60])) }
	for _, leb := range blocks {
		b := bytes.Repeat([]byte{0xff}, ubiTestBlock)
		head := b[:ubiHead]
		clear(head)
		copy(head, "UBI#\x01")
		binary.BigEndian.PutUint32(head[16:], 512)
		binary.BigEndian.PutUint32(head[20:], 2048)
		binary.BigEndian.PutUint32(head[24:], sequence)
		seal(head)
		if leb.content != "" {
			v := b[512 : 512+ubiHead]
			clear(v)
			copy(v, "UBI!\x01\x01")
			if leb.static {
				v[5] = ubiStatic
			}
			if leb.copied {
				v[6] = 1
			}
			binary.BigEndian.PutUint32(v[8:], leb.volume)
			binary.BigEndian.PutUint32(v[12:], leb.number)
			binary.BigEndian.PutUint32(v[20:], uint32(len(leb.content)))
			binary.BigEndian.PutUint32(v[32:], ^crc32.ChecksumIEEE([]byte(leb.content)))
			binary.BigEndian.PutUint64(v[40:], leb.sequence)
			seal(v)
			copy(b[2048:], leb.content)
		}
		image = append(image, b...)
	}
	return image
}

// ubiTable is that of volumes.
func ubiTable(names ...string) string {
	b := make([]byte, ubiVolumes*ubiRecord)
	for i := range ubiVolumes {
		r := b[i*ubiRecord:][:ubiRecord]
		if i < len(names) {
			binary.BigEndian.PutUint16(r[14:], uint16(len(names[i])))
			copy(r[16:], names[i])
		}
		binary.BigEndian.PutUint32(r[168:], ^crc32.ChecksumIEEE(r[:168]))
	}
	return string(b[:ubiTestBlock-2048])
}

func sampleUBI() []byte {
	return madeUBI(7,
		ubiTestLEB{volume: ubiInternal, content: ubiTable("kernel", "data")},
		ubiTestLEB{volume: 1, number: 0, sequence: 5, content: "older"},
		ubiTestLEB{volume: 0, number: 1, sequence: 1, content: " world", static: true},
		ubiTestLEB{volume: 0, number: 0, sequence: 2, content: "hello", static: true},
		ubiTestLEB{},
		ubiTestLEB{volume: 1, number: 0, sequence: 9, content: "newer"},
		ubiTestLEB{volume: 1, number: 2, sequence: 3, content: "third"},
		ubiTestLEB{volume: 7, number: 0, sequence: 4, content: "good copy", copied: true},
		ubiTestLEB{volume: 7, number: 0, sequence: 8, content: "bad copy", copied: true},
	)
}

func TestUBI(t *testing.T) {
	data := sampleUBI()
	data[8*ubiTestBlock+2048] ^= 1
	erased := bytes.Repeat([]byte{0xff}, ubiTestBlock)
	data = append(data, erased...) // a bad block
	data = append(data, madeUBI(8, ubiTestLEB{volume: 0, content: "another image"}, ubiTestLEB{})...)
	data = append(data, "something else"...)
	root := open(t, data)
	got := listed(t, root)
	has(t, got, "it: ubi at 0x0 [ubi] blocks of 8192 bytes, 3 volumes", "a copy of block 0 of volume 7 is not complete", "it: ubi at 0x14000 [ubi]", "it: data at 0x18000")
	for i, want := range []string{"hello world", "newer" + strings.Repeat("\xff", 6139+6144) + "third" + strings.Repeat("\xff", 6139), "good copy" + strings.Repeat("\xff", 6135)} {
		n := root.Children[0].Children[i]
		if content, err := n.Read(1 << 20); err != nil || string(content) != want {
			t.Errorf("%s: %d bytes, %.20q, %v", n.Name, len(content), content, err)
		}
	}
	has(t, got, "volume kernel", "volume data", "volume 7")
}

func TestUBIHostile(t *testing.T) {
	has(t, listed(t, open(t, madeUBI(1, ubiTestLEB{volume: 1, number: 1 << 31, content: "far"}, ubiTestLEB{}))), "a block is said to be number 2147483648")
	has(t, listed(t, open(t, madeUBI(1, ubiTestLEB{volume: 1, number: 3, content: "a"}, ubiTestLEB{volume: 2, number: 3, content: "b"}, ubiTestLEB{volume: 3, number: 3, content: "c"}, ubiTestLEB{}))),
		"3 blocks before block 3 are not there")
	data := madeUBI(1, ubiTestLEB{volume: 1, content: "x", static: true}, ubiTestLEB{})
	data[2048] = 'y'
	has(t, listed(t, open(t, data)), "does not fit its checksum")
	cutShort(t, sampleUBI())
}

func FuzzUBI(f *testing.F) {
	f.Add(sampleUBI(), 530, byte(3))
	f.Fuzz(func(t *testing.T, data []byte, at int, value byte) {
		data = bytes.Clone(data)
		if at >= 0 && at < len(data) {
			data[at] = value
		}
		for at := 0; at+ubiTestBlock <= len(data); at += ubiTestBlock {
			for _, head := range [][]byte{data[at:][:ubiHead], data[at+512:][:ubiHead]} {
				binary.BigEndian.PutUint32(head[60:], ^crc32.ChecksumIEEE(head[:60]))
			}
		}
		bounded(t, open(t, data))
	})
}
