package squash

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/shakedown-test/shakedown/firmware/tree"
)

// lzmaOf encodes b as LZMA with those numbers of context bits, in literals only.
func lzmaOf(b []byte, lc, lp, pb uint) []byte {
	var (
		out       []byte
		low       uint64
		rng       uint32 = 0xffffffff
		pending          = 1
		first     byte
		isMatch   = make([]uint16, 16)
		literal   = make([]uint16, 0x300<<(lc+lp))
		flushByte = func() {
			if uint32(low) < 0xff000000 || low>>32 != 0 {
				for carry := byte(low >> 32); pending > 0; pending-- {
					out = append(out, first+carry)
					first = 0xff
				}
				first = byte(low >> 24)
			}
			pending++
			low = low & 0x00ffffff << 8
		}
		encode = func(p *uint16, bit uint32) {
			bound := rng >> 11 * uint32(*p)
			if bit == 0 {
				rng = bound
				*p += (2048 - *p) >> 5
			} else {
				low += uint64(bound)
				rng -= bound
				*p -= *p >> 5
			}
			for rng < 1<<24 {
				rng <<= 8
				flushByte()
			}
		}
	)
	for _, p := range [][]uint16{isMatch, literal} {
		for i := range p {
			p[i] = 1024
		}
	}
	previous := byte(0)
	for i, c := range b {
		encode(&isMatch[i&(1<<pb-1)], 0)
		p := literal[0x300*(i&(1<<lp-1)<<lc+int(previous)>>(8-lc)):]
		s := 1
		for bit := 7; bit >= 0; bit-- {
			v := uint32(c >> bit & 1)
			encode(&p[s], v)
			s = s<<1 | int(v)
		}
		previous = c
	}
	for range 5 {
		flushByte()
	}
	return out
}

// sometimesLZMA packs as sqlzma does, with whichever is better: here that is chance.
func sometimesLZMA(b []byte) []byte {
	if len(b)%2 == 0 {
		return deflated(b)
	}
	head := append([]byte{0x5d, 0, 0, 1, 0}, binary.LittleEndian.AppendUint64(nil, uint64(len(b)))...)
	return append(head, lzmaOf(b, 3, 0, 2)...)
}

// The ways in which vendors put LZMA into version 3 are found out.
func TestVendorCompression(t *testing.T) {
	for title, pack := range map[string]func(b []byte) []byte{
		"lzma or gzip":       sometimesLZMA,
		"lzma without sizes": func(b []byte) []byte { return append([]byte{0x5d, 0, 0, 1, 0}, lzmaOf(b, 3, 0, 2)...) },
		"lzma without a header (lc=3, lp=0, pb=2, from byte 0 on)": func(b []byte) []byte { return lzmaOf(b, 3, 0, 2) },
		"lzma without a header (lc=0, lp=0, pb=0, from byte 4 on)": func(b []byte) []byte { return append([]byte("size"), lzmaOf(b, 0, 0, 0)...) },
		"lzma without a header (lc=1, lp=2, pb=2, from byte 9 on)": func(b []byte) []byte { return append([]byte("m........"), lzmaOf(b, 1, 2, 2)...) },
		"lzma without a header (lc=2, lp=1, pb=3, from byte 0 on)": func(b []byte) []byte { return lzmaOf(b, 2, 1, 3) },
	} {
		for _, big := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s big=%v", title, big), func(t *testing.T) {
				k := newMaker(3, big)
				k.pack = pack
				files := sample(t)
				image := k.image(files...)
				copy(image, map[bool]string{false: "shsq", true: "sqlz"}[big])
				n := opened(t, image, tree.Limits{})
				if got := listing(t, n); got != sampleListing || len(n.Notes) > 0 || !strings.Contains(n.About, title) {
					t.Errorf("%s %v\n%s", n.About, n.Notes, got)
				}
				for _, f := range files {
					if f.kind == kindFile && f.linked == "" {
						same(t, n, f)
					}
				}
			})
		}
	}
}

func TestMarkedMetadata(t *testing.T) {
	k := newMaker(3, false)
	k.marked = true
	n := opened(t, k.image(sample(t)...), tree.Limits{})
	if got := listing(t, n); got != sampleListing || len(n.Notes) > 0 {
		t.Errorf("%v\n%s", n.Notes, got)
	}
	if !bytes.Contains(k.data.Bytes(), []byte{0xff}) {
		t.Error("no mark")
	}
}
