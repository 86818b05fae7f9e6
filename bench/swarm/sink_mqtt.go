//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// mqttSink is the far end of MQTT: it takes every CONNECT and PUBLISH, and counts them.
func mqttSink(s setup) error {
	return newMQTT(s).listen()
}

// broker answers as a broker that keeps nothing.
type broker struct {
	*server
	seen map[uint32]*numbers
}

func newMQTT(s setup) *server {
	b := &broker{server: &server{setup: s}, seen: map[uint32]*numbers{}}
	b.serve = b.packet
	return b.server
}

var errPacket = errors.New("not an MQTT packet")

// length reads the remaining length of a packet: how many bytes stand before its body, and how many are in it. Zero: not there yet.
func length(in []byte) (head, body int, err error) {
	for i := 1; i < len(in); i++ {
		if i > 4 {
			return 0, 0, errPacket
		}
		body |= int(in[i]&0x7f) << (7 * (i - 1))
		if in[i]&0x80 == 0 {
			return i + 1, body, nil
		}
	}
	return 0, 0, nil
}

// packet serves one packet.
func (b *broker) packet(c *conn, in []byte) (used int, err error) {
	head, size, err := length(in)
	if err != nil || head == 0 || len(in) < head+size {
		return 0, err
	}
	body := in[head : head+size]
	switch in[0] >> 4 {
	case 1: // CONNECT
		if size < 10 {
			return 0, errPacket
		}
		b.Sessions++
		c.five = body[6] == 5
		ack := []byte{0x20, 2, 0, 0}
		if c.five {
			ack = []byte{0x20, 3, 0, 0, 0}
		}
		err = b.reply(c, ack)
	case 3:
		err = b.publish(c, in[0], body)
	case 6: // PUBREL
		err = b.reply(c, []byte{0x70, 2, body[0], body[1]})
	case 8: // SUBSCRIBE
		err = b.subscribe(c, body)
	case 10: // UNSUBSCRIBE
		err = b.reply(c, []byte{0xb0, 2, body[0], body[1]})
	case 12:
		b.Pings++
		err = b.reply(c, []byte{0xd0, 0})
	case 14:
		err = io.EOF
	default:
		b.Bad++
		err = errPacket
	}
	return head + size, err
}

func (b *broker) subscribe(c *conn, body []byte) error {
	granted, at := []byte{}, 2
	if c.five {
		at += 1 + int(body[2])
	}
	for at+2 < len(body) {
		at += 2 + int(binary.BigEndian.Uint16(body[at:]))
		granted = append(granted, body[at]&3)
		at++
	}
	ack := []byte{0x90, byte(2 + len(granted)), body[0], body[1]}
	if c.five {
		ack = []byte{0x90, byte(3 + len(granted)), body[0], body[1], 0}
	}
	return b.reply(c, append(ack, granted...))
}

func (b *broker) publish(c *conn, first byte, body []byte) error {
	now := time.Now()
	if b.frozen.IsZero() {
		b.frozen = now
	}
	qos := int(first >> 1 & 3)
	if len(body) < 2 || qos > 2 {
		return errPacket
	}
	at := 2 + int(binary.BigEndian.Uint16(body))
	id := at
	if qos > 0 {
		at += 2
	}
	if c.five && at < len(body) {
		at += 1 + int(body[at])
	}
	if at > len(body) {
		return errPacket
	}
	b.Messages[qos]++
	b.number(body[at:])
	if b.Log {
		b.log.note(body[at:], now)
	}
	switch qos {
	case 1:
		b.Acked++
		return b.reply(c, []byte{0x40, 2, body[id], body[id+1]})
	case 2:
		return b.reply(c, []byte{0x50, 2, body[id], body[id+1]})
	}
	return nil
}

// number counts the message whose payload begins with "device:number:", and notes when it has been here before.
func (b *broker) number(payload []byte) {
	device, rest, ok := digits(payload)
	seq, _, more := digits(rest)
	if !ok || !more {
		b.Bad++
		return
	}
	n := b.seen[device]
	if n == nil {
		n = &numbers{}
		b.seen[device] = n
	}
	if !n.add(seq) {
		b.Again++
	}
}

// digits reads a number that ends with a colon.
func digits(b []byte) (n uint32, rest []byte, ok bool) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ':')
	if end < 1 {
		return 0, nil, false
	}
	for _, d := range b[:end] {
		if d < '0' || d > '9' {
			return 0, nil, false
		}
		n = n*10 + uint32(d-'0')
	}
	return n, b[end+1:], true
}

// numbers is a set of small numbers.
type numbers struct{ words []uint64 }

// add reports whether the number is new.
func (s *numbers) add(n uint32) bool {
	for int(n/64) >= len(s.words) {
		s.words = append(s.words, 0)
	}
	word, bit := &s.words[n/64], uint64(1)<<(n%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
