package compress

import "encoding/binary"

// symbols decodes as long as the input stands at stop or before it, and the window before soft.
func (d *lzma) symbols(stop, soft, hard int) error {
	in, out := d.in.b, d.buf[:hard]
	at, pos := d.in.at, d.at
	rng, code, state := d.rng, d.code, d.state
	t := &d.tables
	posMask, litMask, lc := uint32(1)<<d.pb-1, uint32(1)<<d.lp-1, d.lc
	for at <= stop && pos < soft {
		where := uint32(pos - d.base)
		posState := where & posMask
		var b uint32
		at, rng, code = normal(in, at, rng, code)
		b, rng, code = bit(&t.match[state<<4|posState], rng, code)
		if b == 1 {
			d.in.at, d.at, d.rng, d.code, d.state = at, pos, rng, code, state
			if err := d.copyMatch(out, posState); err != nil || d.ended {
				return err
			}
			at, pos, rng, code, state = d.in.at, d.at, d.rng, d.code, d.state
			continue
		}
		previous := uint32(0)
		if pos > d.base {
			previous = uint32(out[pos-1])
		}
		p := (*[0x300]uint16)(d.literal[0x300*((where&litMask)<<lc+previous>>(8-lc)):])
		s := uint32(1)
		if state >= 7 {
			if int(d.rep[0]) >= pos-d.base {
				return errDamaged
			}
			match, offset := uint32(out[pos-int(d.rep[0])-1]), uint32(0x100)
			for s < 0x100 {
				match <<= 1
				m := match & offset
				at, rng, code = normal(in, at, rng, code)
				b, rng, code = bit(&p[offset+m+s], rng, code)
				s = s<<1 | b
				offset &= m ^ (b - 1)
			}
		} else {
			for s < 0x100 {
				at, rng, code = normal(in, at, rng, code)
				b, rng, code = bit(&p[s], rng, code)
				s = s<<1 | b
			}
		}
		out[pos] = byte(s)
		pos++
		state = afterLiteral[state]
	}
	d.in.at, d.at, d.rng, d.code, d.state = at, pos, rng, code, state
	return nil
}

var afterLiteral = [16]uint32{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}

// copyMatch decodes a match and copies it.
func (d *lzma) copyMatch(out []byte, posState uint32) error {
	in, at, rng, code, state := d.in.b, d.in.at, d.rng, d.code, d.state
	t := &d.tables
	var b uint32
	at, rng, code = normal(in, at, rng, code)
	b, rng, code = bit(&t.rep[state], rng, code)
	if b == 0 {
		d.in.at, d.rng, d.code = at, rng, code
		length := d.length(&t.matchLength, posState)
		d.rep[3], d.rep[2], d.rep[1] = d.rep[2], d.rep[1], d.rep[0]
		d.rep[0] = d.distance(length)
		d.state = 7
		if state >= 7 {
			d.state = 10
		}
		if d.rep[0] == 0xffffffff {
			d.ended = true
			d.in.at, d.rng, d.code = normal(in, d.in.at, d.rng, d.code)
			return nil
		}
		return d.copyBack(out, length)
	}
	at, rng, code = normal(in, at, rng, code)
	b, rng, code = bit(&t.rep0[state], rng, code)
	if b == 0 {
		at, rng, code = normal(in, at, rng, code)
		b, rng, code = bit(&t.repLong[state<<4|posState], rng, code)
		if b == 0 {
			d.in.at, d.rng, d.code = at, rng, code
			d.state = 9
			if state >= 7 {
				d.state = 11
			}
			return d.copyBack(out, 1)
		}
	} else {
		at, rng, code = normal(in, at, rng, code)
		b, rng, code = bit(&t.rep1[state], rng, code)
		distance := d.rep[1]
		if b == 1 {
			at, rng, code = normal(in, at, rng, code)
			b, rng, code = bit(&t.rep2[state], rng, code)
			distance = d.rep[2]
			if b == 1 {
				distance, d.rep[3] = d.rep[3], d.rep[2]
			}
			d.rep[2] = d.rep[1]
		}
		d.rep[1], d.rep[0] = d.rep[0], distance
	}
	d.in.at, d.rng, d.code = at, rng, code
	d.state = 8
	if state >= 7 {
		d.state = 11
	}
	return d.copyBack(out, d.length(&t.repeLength, posState))
}

// length decodes how long a match is.
func (d *lzma) length(l *lengthCoder, posState uint32) int {
	in, at, rng, code := d.in.b, d.in.at, d.rng, d.code
	var b uint32
	at, rng, code = normal(in, at, rng, code)
	b, rng, code = bit(&l.choice, rng, code)
	tree, limit, add := l.low[posState<<3&127:], uint32(8), uint32(2)
	if b == 1 {
		at, rng, code = normal(in, at, rng, code)
		b, rng, code = bit(&l.choice2, rng, code)
		tree, add = l.mid[posState<<3&127:], 10
		if b == 1 {
			tree, limit, add = l.high[:], 256, 18
		}
	}
	s := uint32(1)
	for s < limit {
		at, rng, code = normal(in, at, rng, code)
		b, rng, code = bit(&tree[s], rng, code)
		s = s<<1 | b
	}
	d.in.at, d.rng, d.code = at, rng, code
	return int(s - limit + add)
}

// distance decodes how far back a match of that length lies, less one.
func (d *lzma) distance(length int) uint32 {
	in, at, rng, code := d.in.b, d.in.at, d.rng, d.code
	t := &d.tables
	var b uint32
	tree := &t.slot[min(length-2, 3)&3]
	s := uint32(1)
	for s < 64 {
		at, rng, code = normal(in, at, rng, code)
		b, rng, code = bit(&tree[s], rng, code)
		s = s<<1 | b
	}
	slot := s - 64
	distance := slot
	if slot >= 4 {
		bits := slot>>1 - 1
		distance = (2 | slot&1) << bits
		special, from := t.special[:], distance-slot
		if slot >= 14 {
			v := uint32(0)
			for range bits - 4 {
				at, rng, code = normal(in, at, rng, code)
				rng >>= 1
				code -= rng
				over := 0 - code>>31
				code += rng & over
				v = v<<1 + over + 1
			}
			distance += v << 4
			special, from, bits = t.align[:], 0, 4
		}
		s = 1
		for i := range bits {
			at, rng, code = normal(in, at, rng, code)
			b, rng, code = bit(&special[from+s], rng, code)
			s = s<<1 | b
			distance |= b << i
		}
	}
	d.in.at, d.rng, d.code = at, rng, code
	return distance
}

// copyBack appends length bytes from the distance of rep[0].
func (d *lzma) copyBack(out []byte, length int) error {
	from := d.at - int(d.rep[0]) - 1
	if from < d.base || d.rep[0] >= d.dict || length > len(out)-d.at {
		return errDamaged
	}
	at := d.at
	d.at += length
	if length <= 16 && at-from >= 8 && at+16 <= len(out) { // most matches
		binary.LittleEndian.PutUint64(out[at:], binary.LittleEndian.Uint64(out[from:]))
		binary.LittleEndian.PutUint64(out[at+8:], binary.LittleEndian.Uint64(out[from+8:]))
		return nil
	}
	to := out[at:d.at]
	for n := 0; n < length; { // what was copied is copied again where the match overlaps itself
		n += copy(to[n:], out[from:at+n])
	}
	return nil
}
