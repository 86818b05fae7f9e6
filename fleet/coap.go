package fleet

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// The transmission parameters of RFC 7252 section 4.8, and what follows from them.
const (
	ackTimeout       = 2 * time.Second // times 1 to 1.5
	maxRetransmit    = 4
	maxTransmitWait  = 93 * time.Second
	exchangeLifetime = 247 * time.Second
	messageIDs       = 1<<16 - 2*maxBacklog // that a device may use within it
)

// maxOpen is how many non-confirmable requests of a device are remembered for their answers.
const maxOpen = 64

// tokenSize is the length of a token: the message id, and a proof that it is ours.
const tokenSize = 6

// speaksCoAP is CoAP (RFC 7252). A device has one confirmable request at a time that is not acknowledged (NSTART, section 4.7).
type speaksCoAP struct{ host []byte } // the option Uri-Host; nil: the target is an address

func newCoAP(target string) speaksCoAP {
	host, _, _ := net.SplitHostPort(target)
	if _, err := netip.ParseAddr(host); err == nil || host == "" || len(host) > 255 {
		return speaksCoAP{}
	}
	return speaksCoAP{append(appendOption(nil, uint(coap.URIHost), len(host)), host...)}
}

func (c speaksCoAP) opens() string { return "the first request" }

func (c speaksCoAP) open(s *shard, i int32, now int64) {
	s.devices[i].id = uint16(s.rand.Uint32())
	s.hello(i, now)
}

func (c speaksCoAP) close(*shard, int32) (heard bool) { return false }

// post sends a POST, confirmable where the message has a QoS.
func (c speaksCoAP) post(s *shard, i int32, p *post, m pending, now int64) bool {
	d := &s.devices[i]
	x := d.more()
	if now < x.hold {
		return false
	}
	asked, oldest := 0, -1
	for k := range x.flights {
		switch f := &x.flights[k]; {
		case f.qos == 0 && oldest < 0:
			oldest = k
		case f.qos > 0 && !f.rel && p.qos > 0:
			return false
		case f.qos > 0:
			asked++
		}
	}
	switch {
	case p.qos > 0 && asked >= s.window(i):
		return false
	case p.qos == 0 && len(x.flights)-asked >= maxOpen && oldest >= 0:
		d.land(oldest)
	}
	f := flight{due: m.due, stream: m.stream, seq: m.seq, id: nextID(d), qos: p.qos}
	if p.qos > 0 {
		f.again = now + int64(s.patience(i, f.id))
	}
	x.flights = append(x.flights, f)
	s.noteSent(m)
	if p.qos > 0 {
		s.timers.by(i, f.again)
	}
	c.request(s, i, p, f, now)
	return true
}

// proof is the part of a token that nobody else can know.
func (s *shard) proof(i int32, id uint16) uint32 {
	x := (uint64(s.job.Run)<<32 | uint64(uint32(s.number(i)))) ^ s.job.Seed ^ uint64(id)<<24
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32(x >> 32)
}

// patience is how long the first transmission of a request waits for its acknowledgement.
func (s *shard) patience(i int32, id uint16) time.Duration {
	return ackTimeout + time.Duration(s.proof(i, id)&0xffff)*(ackTimeout/2)/0x10000
}

// request writes one request; it is the same each time that it is made.
func (c speaksCoAP) request(s *shard, i int32, p *post, f flight, now int64) {
	v := s.fill(i, f.stream, f.seq, f.due)
	first := byte(1<<6|coap.NON<<4) | tokenSize
	if f.qos > 0 {
		first = byte(1<<6|coap.CON<<4) | tokenSize
	}
	b := append(s.packet[:0], first, byte(coap.POST), byte(f.id>>8), byte(f.id), byte(f.id>>8), byte(f.id))
	b = binary.BigEndian.AppendUint32(b, s.proof(i, f.id))
	b = append(b, c.host...)
	last := uint(0)
	if c.host != nil {
		last = uint(coap.URIHost)
	}
	s.path = p.topic.Append(s.path[:0], v)
	path, query, _ := bytes.Cut(s.path, []byte{'?'})
	b, last = appendOptions(b, last, uint(coap.URIPath), path, '/')
	if p.media.format >= 0 {
		b = append(appendOption(b, uint(coap.ContentFormat)-last, 1), byte(p.media.format))
		last = uint(coap.ContentFormat)
	}
	b, _ = appendOptions(b, last, uint(coap.URIQuery), query, '&')
	size := len(b)
	b = append(b, 0xff)
	if b = p.payload.Append(b, v); len(b) == size+1 {
		b = b[:size]
	}
	s.packet = b
	s.send(i, b, now)
}

// appendOptions adds an option for each part of a text, and gives the number of the last option; empty parts are left out.
func appendOptions(b []byte, last, number uint, text []byte, between byte) ([]byte, uint) {
	for len(text) > 0 {
		part := text
		if at := bytes.IndexByte(text, between); at >= 0 {
			part, text = text[:at], text[at+1:]
		} else {
			text = nil
		}
		if len(part) == 0 {
			continue
		}
		b = append(appendOption(b, number-last, len(part)), part...)
		last = number
	}
	return b, last
}

// appendOption adds the head of an option (section 3.1).
func appendOption(b []byte, delta uint, size int) []byte {
	at := len(b)
	b = append(b, 0)
	for k, n := range [2]int{int(delta), size} {
		nibble := n
		switch {
		case n >= 269:
			nibble = 14
			b = binary.BigEndian.AppendUint16(b, uint16(n-269))
		case n >= 13:
			nibble = 13
			b = append(b, byte(n-13))
		}
		b[at] |= byte(nibble << (4 - 4*k))
	}
	return b
}

// idle sends again what is not acknowledged in time, and gives up what was sent often enough.
func (c speaksCoAP) idle(s *shard, i int32, now int64) time.Duration {
	d := &s.devices[i]
	turn := d.turn
	next := s.resting(i, now)
	if d.turn != turn {
		return 0
	}
	for k := 0; d.x != nil && k < len(d.x.flights); k++ {
		f := &d.x.flights[k]
		if f.qos == 0 {
			continue
		}
		if f.again <= now {
			if f.rel || f.tries == maxRetransmit {
				s.givenUp(i, k, now)
				return 0
			}
			f.tries++
			f.again = now + int64(s.patience(i, f.id))<<f.tries
			c.request(s, i, s.postOf(f.stream), *f, now)
			if d.turn != turn {
				return 0
			}
		}
		if wait := time.Duration(f.again - now); next == 0 || wait < next {
			next = wait
		}
	}
	return next
}

// givenUp ends a connection on which a request got no answer. A device with a buffer sends it again later.
func (s *shard) givenUp(i int32, k int, now int64) {
	d := &s.devices[i]
	why := "no acknowledgement"
	if d.x.flights[k].rel {
		why = "no response after the acknowledgement"
	}
	if s.classOf(i).Buffer == 0 {
		s.unanswered(d.land(k), now)
	}
	s.fail(i, why, now)
}
