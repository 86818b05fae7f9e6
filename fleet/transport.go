package fleet

import (
	"errors"
	"fmt"
	"io"

	"github.com/shakedown-test/shakedown/fleet/series"
)

// maxOut and maxIn bound what is kept for one device: what its socket does not take, and an incomplete packet.
const (
	maxOut = 1 << 20
	maxIn  = 4 << 20
)

// send sends bytes of the device's protocol, in WebSocket frames and TLS records where it uses them.
func (s *shard) send(i int32, b []byte, now int64) {
	d := &s.devices[i]
	x := d.x
	d.wrote = now
	if x == nil {
		s.put(i, b)
		return
	}
	if x.framed {
		s.wrapped = appendFrame(s.wrapped[:0], b, s.rand.Uint32())
		b = s.wrapped
	}
	s.raw(i, b)
}

// raw sends bytes below WebSocket.
func (s *shard) raw(i int32, b []byte) {
	x := s.devices[i].x
	if x != nil && x.carrier != nil {
		s.meter.Count(series.BytesOut, len(b))
		if !x.carrier.send(b) {
			s.fail(i, "the other side takes nothing", s.now())
		}
		return
	}
	if x != nil && x.tls != nil {
		s.sealed = x.tls.Seal(s.sealed[:0], b)
		b = s.sealed
	}
	s.put(i, b)
}

// put gives bytes to the socket, and keeps what it does not take.
func (s *shard) put(i int32, b []byte) {
	d := &s.devices[i]
	if d.fd < 0 {
		return
	}
	s.meter.Count(series.BytesOut, len(b))
	if d.x == nil || len(d.x.out) == 0 {
		n, err := write(d.fd, b)
		if n == len(b) {
			return
		}
		if err != nil && !errors.Is(err, errAgain) {
			s.fail(i, classify(err), s.now())
			return
		}
		b = b[n:]
	}
	if s.classOf(i).datagrams { // the kernel has no room for a datagram: it is lost, as on any way
		return
	}
	x := d.more()
	if len(x.out)+len(b) > maxOut {
		s.fail(i, "the other side takes nothing", s.now())
		return
	}
	if len(x.out) == 0 {
		_ = s.poll.change(d.fd, i, d.turn, true)
	}
	x.out = append(x.out, b...)
}

// flush writes what was kept.
func (s *shard) flush(i int32) {
	d := &s.devices[i]
	if d.x == nil || len(d.x.out) == 0 {
		return
	}
	n, err := write(d.fd, d.x.out)
	if err != nil && !errors.Is(err, errAgain) {
		s.fail(i, classify(err), s.now())
		return
	}
	if d.x.out = d.x.out[n:]; len(d.x.out) == 0 {
		d.x.out = nil
		_ = s.poll.change(d.fd, i, d.turn, false)
	}
}

// datagram reads one datagram; where there are more, the loop says so again.
func (s *shard) datagram(i int32, now int64) {
	n, err := read(s.devices[i].fd, s.buf)
	switch {
	case errors.Is(err, errAgain):
	case err != nil:
		s.fail(i, classify(err), now)
	case n > 0:
		s.meter.Count(series.BytesIn, n)
		s.classOf(i).speaks.take(s, i, s.buf[:n], now)
	}
}

// readable reads a socket.
func (s *shard) readable(i int32, now int64) {
	d := &s.devices[i]
	if s.classOf(i).datagrams {
		s.datagram(i, now)
		return
	}
	turn := d.turn
	for range 16 { // then others
		kept := 0
		if d.x != nil {
			kept = copy(s.buf, d.x.in)
		}
		if kept == len(s.buf) { // a packet longer than the buffer
			s.buf = append(s.buf, make([]byte, len(s.buf))...)
			continue
		}
		n, err := read(d.fd, s.buf[kept:])
		switch {
		case errors.Is(err, errAgain):
			return
		case err != nil:
			s.fail(i, classify(err), now)
			return
		case n == 0:
			s.gone(i, now)
			return
		}
		s.meter.Count(series.BytesIn, n)
		full := kept+n == len(s.buf)
		s.received(i, s.buf[:kept+n], now)
		if d.turn != turn || d.fd < 0 || !full {
			return
		}
	}
}

// received takes bytes of a connection: first what was kept of it, then what came.
func (s *shard) received(i int32, b []byte, now int64) {
	d := &s.devices[i]
	turn := d.turn
	rest := b
	if d.x != nil && d.x.tls != nil {
		rest = s.unsealed(i, b, now)
	} else {
		rest = b[s.clear(i, b, now):]
	}
	if d.turn != turn {
		return
	}
	if len(rest) > maxIn {
		s.fail(i, "a packet of more than 4 MiB", now)
		return
	}
	if d.x != nil {
		d.x.in = keep(d.x.in, rest)
	} else if len(rest) > 0 {
		d.more().in = keep(nil, rest)
	}
}

// keep is a copy of what is incomplete; nothing is kept of nothing.
func keep(into, rest []byte) []byte {
	if len(rest) == 0 {
		return nil
	}
	return append(into[:0:0], rest...)
}

// unsealed takes TLS records, and gives what is left.
func (s *shard) unsealed(i int32, b []byte, now int64) []byte {
	d := &s.devices[i]
	turn, session := d.turn, d.x.tls
	for len(b) > 0 {
		plain, n, err := session.Open(b)
		if len(plain) > 0 && d.turn == turn {
			if kept := d.x.clear; len(kept) > 0 {
				plain = append(kept, plain...)
			}
			used := s.clear(i, plain, now)
			if d.turn == turn {
				d.more().clear = keep(nil, plain[used:])
			}
		}
		if d.turn != turn {
			return nil
		}
		if errors.Is(err, io.EOF) {
			s.gone(i, now)
			return nil
		} else if err != nil {
			s.fail(i, classify(fmt.Errorf("TLS record: %w", err)), now)
			return nil
		}
		if n == 0 {
			break
		}
		b = b[n:]
	}
	return b
}

// clear takes bytes below TLS, and says how many it used.
func (s *shard) clear(i int32, b []byte, now int64) int {
	c := s.classOf(i)
	if !c.socket {
		return c.speaks.take(s, i, b, now)
	}
	return s.unframed(i, b, now)
}
