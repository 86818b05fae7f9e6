package fleet

import (
	"encoding/binary"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// reply is a datagram of CoAP that was taken apart.
type reply struct {
	kind   coap.Type
	code   coap.Code
	id     uint16
	token  []byte
	body   []byte
	maxAge int64 // seconds; -1: not told
}

// split takes a datagram apart. What no receiver may take (section 3 and 4.1) is not ok.
func (r *reply) split(b []byte) (ok bool) {
	if len(b) < 4 || b[0]>>6 != 1 {
		return false
	}
	size := int(b[0] & 15)
	r.kind, r.code, r.id, r.maxAge = coap.Type(b[0]>>4&3), coap.Code(b[1]), binary.BigEndian.Uint16(b[2:]), -1
	if size > 8 || len(b) < 4+size || r.code == coap.Empty && len(b) > 4 {
		return false
	}
	r.token = b[4 : 4+size]
	number := 0
	for b = b[4+size:]; len(b) > 0; {
		if b[0] == 0xff {
			r.body = b[1:]
			return len(r.body) > 0
		}
		delta, length := int(b[0]>>4), int(b[0]&15)
		b = b[1:]
		if delta, b, ok = extended(delta, b); ok {
			length, b, ok = extended(length, b)
		}
		if number += delta; !ok || length > len(b) || number > 0xffff {
			return false
		}
		if coap.OptionID(number) == coap.MaxAge && length <= 4 {
			r.maxAge = 0
			for _, c := range b[:length] {
				r.maxAge = r.maxAge<<8 | int64(c)
			}
		}
		b = b[length:]
	}
	return true
}

// extended reads the bytes that a delta or a length has behind the first.
func extended(n int, b []byte) (int, []byte, bool) {
	switch {
	case n == 13 && len(b) > 0:
		return 13 + int(b[0]), b[1:], true
	case n == 14 && len(b) > 1:
		return 269 + int(binary.BigEndian.Uint16(b)), b[2:], true
	}
	return n, b, n < 13
}

// take acts on one datagram.
func (c speaksCoAP) take(s *shard, i int32, b []byte, now int64) (used int) {
	var r reply
	switch ok := r.split(b); {
	case !ok:
		s.meter.Answer("a datagram that is not CoAP")
	case r.code == coap.Empty:
		c.empty(s, i, &r, now)
	case r.code.Response() && r.kind != coap.RST:
		c.response(s, i, &r, now)
	default:
		s.meter.Answer("a message that no server sends to a client")
		c.reject(s, i, &r, now)
	}
	return len(b)
}

// reject refuses a confirmable message (section 4.2).
func (c speaksCoAP) reject(s *shard, i int32, r *reply, now int64) {
	if r.kind == coap.CON {
		s.send(i, append(s.packet[:0], 1<<6|byte(coap.RST)<<4, 0, byte(r.id>>8), byte(r.id)), now)
	}
}

// empty acts on a message that is nothing but an acknowledgement, a reset or a ping.
func (c speaksCoAP) empty(s *shard, i int32, r *reply, now int64) {
	d := &s.devices[i]
	if r.kind == coap.CON || r.kind == coap.NON {
		c.reject(s, i, r, now)
		return
	}
	k := d.flying(r.id)
	switch {
	case k < 0: // of a request that was answered already
	case r.kind == coap.RST:
		s.answered(i, d.land(k), "reset", 0, now)
	case !d.x.flights[k].rel && d.x.flights[k].qos > 0:
		f := &d.x.flights[k]
		f.rel, f.again = true, now+int64(maxTransmitWait)
		if d.state == up && len(d.x.backlog) > 0 {
			s.drainBacklog(i, now)
		}
	}
}

// flying is the place of a request among those in flight; -1: it is not.
func (d *device) flying(id uint16) int {
	if d.x == nil {
		return -1
	}
	for k := range d.x.flights {
		if d.x.flights[k].id == id {
			return k
		}
	}
	return -1
}

// response acts on the response to a request, in its acknowledgement or apart (section 5.2).
func (c speaksCoAP) response(s *shard, i int32, r *reply, now int64) {
	d := &s.devices[i]
	known := false
	var id uint16
	if len(r.token) == tokenSize {
		id = binary.BigEndian.Uint16(r.token)
		known = binary.BigEndian.Uint32(r.token[2:]) == s.proof(i, id) && (r.kind != coap.ACK || r.id == id)
	}
	if !known {
		s.meter.Answer("a response with a token of no request")
		c.reject(s, i, r, now)
		return
	}
	if turn := d.turn; r.kind == coap.CON {
		s.send(i, append(s.packet[:0], 1<<6|byte(coap.ACK)<<4, 0, byte(r.id>>8), byte(r.id)), now)
		if d.turn != turn {
			return
		}
	}
	k := d.flying(id)
	if k < 0 { // once more
		return
	}
	f := d.land(k)
	s.leaks(i, r.body, &strays{})
	bad, hold := "", int64(0)
	if r.code.Class() != 2 {
		bad = r.code.String()
		if r.code == coap.ServiceUnavailable && r.maxAge >= 0 {
			hold = now + r.maxAge*int64(time.Second)
		}
	}
	s.answered(i, f, bad, hold, now)
}
