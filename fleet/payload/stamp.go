package payload

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"iter"
	"math/bits"
)

// Stamp is what stands in a payload so that its message can be recognised wherever it turns up, as text that JSON, CBOR strings, URLs and
// topics hold as it is.
type Stamp struct {
	Run    uint32
	Source uint32 // stream of a device
	Seq    uint32
	Tenant uint32
	Due    int64 // when it was meant to be sent, in microseconds since 1970, before the year 4253
}

// The marks with which stamps and canaries begin. Their first sign is rare in payloads, which makes them quick to find.
const (
	stampMark  = "~sd~"
	canaryMark = "~ca~"
)

// Lengths in bytes, of a stamp and of a canary as text: the mark and base64url of what it says with a checksum of 32 bits.
const (
	StampSize  = len(stampMark) + 36
	CanarySize = len(canaryMark) + 16
)

// AppendStamp appends a stamp as text: StampSize bytes.
func AppendStamp(dst []byte, s Stamp) []byte {
	var raw [27]byte
	binary.BigEndian.PutUint32(raw[0:], s.Run)
	binary.BigEndian.PutUint32(raw[4:], s.Source)
	binary.BigEndian.PutUint32(raw[8:], s.Seq)
	binary.BigEndian.PutUint32(raw[12:], s.Tenant)
	binary.BigEndian.PutUint64(raw[16:], uint64(s.Due)<<8)
	binary.BigEndian.PutUint32(raw[23:], s.sum())
	dst = append(dst, stampMark...)
	return base64.RawURLEncoding.AppendEncode(dst, raw[:])
}

// sum is a checksum over all that a stamp says. A change of it goes unseen once in four billion.
func (s Stamp) sum() uint32 {
	return mix(uint64(s.Run)<<32|uint64(s.Source), uint64(s.Seq)<<32|uint64(s.Tenant), uint64(s.Due)&(1<<56-1))
}

// mix folds three words into 32 bits.
func mix(a, b, c uint64) uint32 {
	high, low := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	high, low = bits.Mul64(high^low^0x8ebc6af09c88c6e3, c^0x589965cc75374cc3)
	x := high ^ low
	return uint32(x ^ x>>32)
}

// Marked is a body from the first sign on with which a mark may begin; nil: none stands in it.
func Marked(body []byte) []byte {
	if at := bytes.IndexByte(body, stampMark[0]); at >= 0 {
		return body[at:]
	}
	return nil
}

// FindStamp finds the first whole stamp in a payload.
func FindStamp(payload []byte) (Stamp, bool) {
	s, _, ok := nextStamp(payload)
	return s, ok
}

// FindStamps goes over all whole stamps in a body, in their order.
func FindStamps(body []byte) iter.Seq[Stamp] {
	return func(yield func(Stamp) bool) {
		for {
			s, rest, ok := nextStamp(body)
			if !ok || !yield(s) {
				return
			}
			body = rest
		}
	}
}

// nextStamp is the first whole stamp, and what stands behind it.
func nextStamp(body []byte) (s Stamp, rest []byte, ok bool) {
	for {
		at := bytes.Index(body, []byte(stampMark))
		if at < 0 || len(body)-at < StampSize {
			return Stamp{}, nil, false
		}
		if s, ok = readStamp(body[at+len(stampMark) : at+StampSize]); ok {
			return s, body[at+StampSize:], true
		}
		body = body[at+len(stampMark)-1:] // the last sign of a mark can be the first of another
	}
}

func readStamp(text []byte) (Stamp, bool) {
	var raw [27]byte
	if n, err := base64.RawURLEncoding.Decode(raw[:], text); err != nil || n != len(raw) {
		return Stamp{}, false
	}
	s := Stamp{
		Run:    binary.BigEndian.Uint32(raw[0:]),
		Source: binary.BigEndian.Uint32(raw[4:]),
		Seq:    binary.BigEndian.Uint32(raw[8:]),
		Tenant: binary.BigEndian.Uint32(raw[12:]),
		Due:    int64(binary.BigEndian.Uint64(raw[16:]) >> 8),
	}
	return s, s.sum() == binary.BigEndian.Uint32(raw[23:])
}

// Canary is a word of a tenant that stands nowhere but in what belongs to it, so that it betrays where data of one tenant is given to
// another. Unlike a stamp it is the same in every message of a run.
type Canary struct{ Run, Tenant uint32 }

// AppendCanary appends a canary as text: CanarySize bytes.
func AppendCanary(dst []byte, c Canary) []byte {
	var raw [12]byte
	binary.BigEndian.PutUint32(raw[0:], c.Run)
	binary.BigEndian.PutUint32(raw[4:], c.Tenant)
	binary.BigEndian.PutUint32(raw[8:], c.sum())
	dst = append(dst, canaryMark...)
	return base64.RawURLEncoding.AppendEncode(dst, raw[:])
}

func (c Canary) sum() uint32 { return mix(uint64(c.Run), uint64(c.Tenant), uint64(CanarySize)) }

// FindCanaries goes over all whole canaries in a body, in their order.
func FindCanaries(body []byte) iter.Seq[Canary] {
	return func(yield func(Canary) bool) {
		for {
			at := bytes.Index(body, []byte(canaryMark))
			if at < 0 || len(body)-at < CanarySize {
				return
			}
			var raw [12]byte
			n, err := base64.RawURLEncoding.Decode(raw[:], body[at+len(canaryMark):at+CanarySize])
			c := Canary{binary.BigEndian.Uint32(raw[0:]), binary.BigEndian.Uint32(raw[4:])}
			if err != nil || n != len(raw) || c.sum() != binary.BigEndian.Uint32(raw[8:]) {
				body = body[at+len(canaryMark)-1:]
				continue
			}
			if !yield(c) {
				return
			}
			body = body[at+CanarySize:]
		}
	}
}
