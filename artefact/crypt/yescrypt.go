package crypt

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"
)

// yescryptSettings are what stands between the second and the third dollar sign (yescrypt 1.1, PARAMETERS and yescrypt-common.c).
type yescryptSettings struct {
	flags uint32
	n, r  int
	salt  []byte
}

// The flags that crypt(5) uses, all together: RW, ROUNDS_6, GATHER_4, SIMPLE_2, SBOX_12K. Nothing else is verified here.
const yescryptDefaults = 0xb6

// yescryptParams reads them. Memory is bounded: 64 MiB at most.
func yescryptParams(text string) (yescryptSettings, error) {
	fields := strings.Split(text, "$")
	in := fields[2]
	var p yescryptSettings
	flavour, in, ok1 := varint(in, 0)
	log, in, ok2 := varint(in, 1)
	r, in, ok3 := varint(in, 1)
	if !ok1 || !ok2 || !ok3 || in != "" || flavour < 2 || log < 6 || log > 18 || r < 1 || r > 64 {
		return p, ErrUnknown
	}
	p.flags = 2 + (flavour-2)<<2
	p.n, p.r = 1<<log, int(r)
	if p.flags != yescryptDefaults || 128*p.r*p.n > 64<<20 {
		return p, ErrUnknown
	}
	salt, ok := decode(fields[3])
	if !ok {
		return p, ErrUnknown
	}
	p.salt = salt
	return p, nil
}

// varint reads a number that is not below least (decode64_uint32).
func varint(in string, least uint32) (v uint32, rest string, ok bool) {
	if in == "" || !plain(in[:1]) {
		return 0, "", false
	}
	c := uint32(letter(in[0]))
	in = in[1:]
	start, end, shift := uint32(0), uint32(47), 0
	v = least
	for c > end {
		v += (end + 1 - start) << shift
		start = end + 1
		end = start + (62-end)/2
		shift += 6
	}
	v += (c - start) << shift
	for shift > 0 {
		if in == "" || !plain(in[:1]) {
			return 0, "", false
		}
		shift -= 6
		v += uint32(letter(in[0])) << shift
		in = in[1:]
	}
	return v, in, true
}

// decode reads groups of four letters, the lowest bits first, as three bytes.
func decode(in string) (out []byte, ok bool) {
	if len(in) > 86 || in != "" && !plain(in) {
		return nil, false
	}
	for len(in) > 0 {
		v, shift, n := uint32(0), 0, min(4, len(in))
		for i := range n {
			v |= uint32(letter(in[i])) << shift
			shift += 6
		}
		if n == 1 {
			return nil, false
		}
		for range n - 1 {
			out = append(out, byte(v))
			v >>= 8
		}
		in = in[n:]
	}
	return out, true
}

func verifyYescrypt(text, password string) bool {
	p, err := yescryptParams(text)
	if err != nil {
		return false
	}
	key := []byte(password)
	if p.n >= 0x100 && p.n*p.r >= 0x20000 { // a first pass over a 64th of the memory
		key = yescrypt(key, p.salt, p.n>>6, p.r, "yescrypt-prehash")
	}
	sum := yescrypt(key, p.salt, p.n, p.r, "yescrypt")
	h := hmac.New(sha256.New, sum)
	h.Write([]byte("Client Key"))
	stored := sha256.Sum256(h.Sum(nil))
	return same(text[strings.LastIndexByte(text, '$')+1:], encode64(stored[:]))
}

// encode64 is the reverse of decode.
func encode64(b []byte) string {
	var out []byte
	for len(b) > 0 {
		n := min(3, len(b))
		v := uint32(0)
		for i := range n {
			v |= uint32(b[i]) << (8 * i)
		}
		for range n + 1 {
			out = append(out, letters[v&63])
			v >>= 6
		}
		b = b[n:]
	}
	return string(out)
}

// yescrypt is yescrypt_kdf_body for one thread, without ROM, t = 0 and an output of 32 bytes.
func yescrypt(password, salt []byte, n, r int, name string) []byte {
	h := hmac.New(sha256.New, []byte(name))
	h.Write(password)
	key := h.Sum(nil)
	b := stretch(key, salt, 128*r)
	key = append([]byte(nil), b[:32]...)

	// The S-boxes come out of scrypt's own mixing of the first 128 bytes.
	const sbox = 12288
	box := make([]uint32, sbox/4)
	first := words(b[:128])
	fill(first, 1, sbox/128, box, nil)
	put(b[:128], first)
	m := &mixer{box: box, s2: 0, s1: sbox / 12, s0: 2 * sbox / 12}
	h = hmac.New(sha256.New, b[128*r-64:])
	h.Write(key)
	key = h.Sum(nil)

	memory := make([]uint32, 32*r*n)
	x := words(b)
	fill(x, r, n, memory, m)
	loops := (n + 2) / 3
	loops += loops & 1
	for range loops {
		j := int(integerify(x) & uint32(n-1))
		v := memory[j*len(x) : (j+1)*len(x)]
		for i := range x {
			x[i] ^= v[i]
		}
		copy(v, x)
		m.mix(x)
	}
	put(b, x)
	return stretch(key, b, 32)
}

func stretch(key, salt []byte, n int) []byte {
	out, err := pbkdf2.Key(sha256.New, string(key), salt, 1, n)
	if err != nil {
		panic("crypt: PBKDF2: " + err.Error()) // of such lengths it does not fail
	}
	return out
}

// words reads little-endian words in the order in which they are worked on: in each block of 16 the word i is that at 5i modulo 16.
func words(b []byte) []uint32 {
	x := make([]uint32, len(b)/4)
	for i := range x {
		x[i] = binary.LittleEndian.Uint32(b[4*(i&^15+i*5%16):])
	}
	return x
}

func put(b []byte, x []uint32) {
	for i, v := range x {
		binary.LittleEndian.PutUint32(b[4*(i&^15+i*5%16):], v)
	}
}

func integerify(x []uint32) uint32 { return x[len(x)-16] }

// fill is the first loop of SMix: it writes the memory. Without a mixer it is that of scrypt.
func fill(x []uint32, r, n int, memory []uint32, m *mixer) {
	for i := range n {
		copy(memory[i*len(x):], x)
		if m == nil {
			blockmix(x, r)
			continue
		}
		if i > 1 {
			low := 1 << (bits.Len(uint(i)) - 1)
			j := int(integerify(x))&(low-1) + i - low
			for k, v := range memory[j*len(x) : (j+1)*len(x)] {
				x[k] ^= v
			}
		}
		m.mix(x)
	}
}

// blockmix is BlockMix of scrypt (RFC 7914 section 4) with Salsa20/8.
func blockmix(x []uint32, r int) {
	y := make([]uint32, len(x))
	t := [16]uint32(x[len(x)-16:])
	for i := range 2 * r {
		for k := range t {
			t[k] ^= x[16*i+k]
		}
		salsa(t[:], 8)
		copy(y[16*(i/2+i%2*r):], t[:])
	}
	copy(x, y)
}

// salsa is Salsa20 of so many rounds, over shuffled words.
func salsa(b []uint32, rounds int) {
	var x [16]uint32
	for i := range x {
		x[i*5%16] = b[i]
	}
	for range rounds / 2 {
		quarter(&x, 0, 4, 8, 12)
		quarter(&x, 5, 9, 13, 1)
		quarter(&x, 10, 14, 2, 6)
		quarter(&x, 15, 3, 7, 11)
		quarter(&x, 0, 1, 2, 3)
		quarter(&x, 5, 6, 7, 4)
		quarter(&x, 10, 11, 8, 9)
		quarter(&x, 15, 12, 13, 14)
	}
	for i := range x {
		b[i] += x[i*5%16]
	}
}

func quarter(x *[16]uint32, a, b, c, d int) {
	x[b] ^= bits.RotateLeft32(x[a]+x[d], 7)
	x[c] ^= bits.RotateLeft32(x[b]+x[a], 9)
	x[d] ^= bits.RotateLeft32(x[c]+x[b], 13)
	x[a] ^= bits.RotateLeft32(x[d]+x[c], 18)
}

// mixer is the state of pwxform: three S-boxes, of which one is written while the others are read.
type mixer struct {
	box        []uint32
	s0, s1, s2 int // where they begin
	w          int // where the third is written next, in pairs of words
}

// mix is BlockMix with pwxform over blocks of 64 bytes, and Salsa20/2 over the last.
func (m *mixer) mix(b []uint32) {
	x := [16]uint32(b[len(b)-16:])
	for i := 0; i < len(b); i += 16 {
		for k := range x {
			x[k] ^= b[i+k]
		}
		m.pwxform(&x)
		copy(b[i:], x[:])
	}
	salsa(b[len(b)-16:], 2)
}

// pwxform is the heart of yescrypt: 6 rounds, 4 lanes of 2 pairs of words.
func (m *mixer) pwxform(x *[16]uint32) {
	const mask = 0xff0
	w := m.w
	for round := range 6 {
		for lane := 0; lane < 16; lane += 4 {
			p0, p1 := m.s0+int(x[lane]&mask)/4, m.s1+int(x[lane+1]&mask)/4
			for k := 0; k < 4; k += 2 {
				low, high := uint64(x[lane+k]), uint64(x[lane+k+1])
				v := high*low + (uint64(m.box[p0+k+1])<<32 | uint64(m.box[p0+k]))
				v ^= uint64(m.box[p1+k+1])<<32 | uint64(m.box[p1+k])
				x[lane+k], x[lane+k+1] = uint32(v), uint32(v>>32)
				if round != 0 && round != 5 {
					m.box[m.s2+2*w], m.box[m.s2+2*w+1] = uint32(v), uint32(v>>32)
					w++
				}
			}
		}
	}
	m.s0, m.s1, m.s2 = m.s2, m.s0, m.s1
	m.w = w & (256*2 - 1)
}
