package fleet

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/shakedown-test/shakedown/wire/ws"
)

// appendFrame adds one masked binary frame with b (RFC 6455 section 5.2).
func appendFrame(dst, b []byte, key uint32) []byte {
	f := ws.Frame{Fin: true, Op: ws.Binary, Masked: true, Payload: b}
	binary.BigEndian.PutUint32(f.Key[:], key)
	return f.Append(dst)
}

// upgrade sends the opening handshake.
func (s *shard) upgrade(i int32, now int64) {
	var nonce [16]byte
	binary.BigEndian.PutUint64(nonce[:], s.rand.Uint64())
	binary.BigEndian.PutUint64(nonce[8:], s.rand.Uint64())
	t := s.job.Target
	path := t.Path
	if path == "" {
		path = "/"
	}
	x := s.devices[i].more()
	x.key = base64.StdEncoding.EncodeToString(nonce[:])
	s.devices[i].wrote = now
	s.raw(i, []byte(ws.Request(t.Host, path, "mqtt", x.key)))
}

// unframed takes bytes of a WebSocket, and says how many it used.
func (s *shard) unframed(i int32, b []byte, now int64) (used int) {
	d := &s.devices[i]
	turn := d.turn
	if !d.x.framed {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			if len(b) > 16<<10 {
				s.fail(i, "an answer to the opening handshake without end", now)
			}
			return 0
		}
		used = end + 4
		answer, err := ws.ReadAnswer(bufio.NewReader(bytes.NewReader(b[:used])))
		if err != nil || !answer.Accepts || answer.Accept != ws.AcceptKey(d.x.key) {
			s.refused(i, fmt.Sprintf("WebSocket handshake: status %d", answer.Status), now)
			return used
		}
		d.x.framed, d.x.key = true, ""
		s.classOf(i).speaks.open(s, i, now)
	}
	for d.turn == turn {
		op, body, n := frame(b[used:])
		if n == 0 {
			break
		}
		if n < 0 {
			s.fail(i, "a WebSocket frame that is not one", now)
			break
		}
		used += n
		switch op {
		case ws.Continuation, ws.Binary:
			s.messageBytes(i, body, now)
		case ws.Ping:
			f := ws.Frame{Fin: true, Op: ws.Pong, Masked: true, Payload: body}
			s.raw(i, f.Append(nil))
		case ws.Pong:
		case ws.Close:
			s.fail(i, "the other side closed the connection", now)
		default:
			s.fail(i, "a WebSocket frame of a type that MQTT does not use", now)
		}
	}
	return used
}

// messageBytes takes the bytes of a binary message: packets may go over the ends of frames (MQTT-6.0.0-4).
func (s *shard) messageBytes(i int32, body []byte, now int64) {
	d := &s.devices[i]
	turn := d.turn
	if len(d.x.packet) > 0 {
		body = append(d.x.packet, body...)
	}
	used := s.classOf(i).speaks.take(s, i, body, now)
	if d.turn == turn {
		d.x.packet = keep(nil, body[used:])
	}
}

// frame splits the first frame off: n is 0 while it is incomplete and below 0 when it can't be one of a server, which masks nothing.
func frame(b []byte) (op ws.Opcode, body []byte, n int) {
	if len(b) < 2 {
		return 0, nil, 0
	}
	op = ws.Opcode(b[0] & 0x0f)
	size, head := uint64(b[1]&0x7f), 2
	switch {
	case b[0]&0x70 != 0 || b[1]&0x80 != 0:
		return 0, nil, -1
	case size == 126 && len(b) < 4 || size == 127 && len(b) < 10:
		return 0, nil, 0
	case size == 126:
		size, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case size == 127:
		size, head = binary.BigEndian.Uint64(b[2:]), 10
	}
	if size > maxIn {
		return 0, nil, -1
	}
	if len(b) < head+int(size) {
		return 0, nil, 0
	}
	return op, b[head : head+int(size)], head + int(size)
}
