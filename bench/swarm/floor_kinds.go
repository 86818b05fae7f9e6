//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const payloadSize = 128

// hello is the CONNECT of a device, with a keep-alive of 60 s.
func hello(n int) []byte {
	id := fmt.Sprintf("device-%06d", n)
	b := []byte{0x10, byte(12 + len(id)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, byte(len(id))}
	return append(b, id...)
}

// body is what all sides send, 128 bytes: the number of the device, that of the message, when it was due, and filling.
func body(n int) []byte {
	b := fmt.Appendf(nil, "%06d:%08d:%016d:", n, 0, 0)
	return append(b, bytes.Repeat([]byte("x"), payloadSize-len(b))...)
}

// patch writes number and time into a body.
func patch(b []byte, seq int, due time.Time) {
	decimal(b[7:15], seq)
	if !due.IsZero() {
		decimal(b[16:32], int(due.UnixMicro()))
	}
}

func decimal(to []byte, n int) {
	for i := len(to) - 1; i >= 0; i-- {
		to[i] = byte('0' + n%10)
		n /= 10
	}
}

// connecting connects and keeps, for as long as it is told.
func connecting(s setup) error {
	w, err := newWires(s)
	if err != nil {
		return err
	}
	late, err := w.join(hello, 4, s.Rate)
	if err != nil {
		return err
	}
	say(figures{Sessions: int64(s.Conns), Late: late.quantiles()})
	time.Sleep(s.For)
	return nil
}

// publishing connects and publishes.
func publishing(s setup) error {
	w, err := newWires(s)
	if err != nil {
		return err
	}
	if _, err := w.join(hello, 4, 0); err != nil {
		return err
	}
	packets := make([][]byte, s.Conns)
	start := 0
	for n := range packets {
		topic := fmt.Sprintf("d/%06d/t", n)
		size := 2 + len(topic) + payloadSize
		if s.QoS > 0 {
			size += 2
		}
		p := []byte{0x30 | byte(s.QoS)<<1, byte(size) | 0x80, byte(size >> 7), 0, byte(len(topic))}
		p = append(p, topic...)
		if s.QoS > 0 {
			p = append(p, 0, 0)
		}
		start = len(p)
		packets[n] = append(p, body(n)...)
	}
	f, err := w.pace(func(n, seq int, due time.Time) []byte {
		p := packets[n]
		if s.QoS > 0 {
			binary.BigEndian.PutUint16(p[start-2:], uint16(seq%0xffff+1))
		}
		patch(p[start:], seq, due)
		return p
	}, 4*s.QoS)
	say(f)
	return err
}

// requesting sends confirmable POSTs of CoAP, each device from a socket of its own.
func requesting(s setup) error {
	w, err := newWires(s)
	if err != nil {
		return err
	}
	packets := make([][]byte, s.Conns)
	const start = 4 + 4 + 2 + 7 + 2 + 1 // head, token, Uri-Path of 1, 6 and 1 characters, marker
	for n := range packets {
		if err := w.dial(unix.SOCK_DGRAM); err != nil {
			return err
		}
		p := fmt.Appendf([]byte{0x44, 0x02, 0, 0, 0, 0, 0, 0}, "\xb1d\x06%06d\x01t\xff", n)
		packets[n] = append(p, body(n)...)
	}
	f, err := w.pace(func(n, seq int, due time.Time) []byte {
		p := packets[n]
		binary.BigEndian.PutUint16(p[2:], uint16(seq))
		binary.BigEndian.PutUint32(p[4:], uint32(seq))
		patch(p[start:], seq, due)
		return p
	}, 8)
	say(f)
	return err
}

// posting sends POSTs over connections that it keeps.
func posting(s setup) error {
	w, err := newWires(s)
	if err != nil {
		return err
	}
	packets := make([][]byte, s.Conns)
	start := 0
	for n := range packets {
		p := fmt.Appendf(nil, "POST /d/%06d/t HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", n, s.To, payloadSize)
		start = len(p)
		packets[n] = append(p, body(n)...)
	}
	const answer = len("HTTP/1.1 204 No Content\r\n\r\n")
	if _, err := w.join(func(n int) []byte { return packets[n] }, answer, 0); err != nil {
		return err
	}
	f, err := w.pace(func(n, seq int, due time.Time) []byte {
		patch(packets[n][start:], seq+1, due)
		return packets[n]
	}, answer)
	say(f)
	return err
}
