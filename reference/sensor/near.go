package sensor

import (
	"bytes"
	"errors"
	"hash/fnv"
	"net"
	"sync"
	"time"

	"github.com/shakedown-test/shakedown/wire/coap"
)

// local is how the sensor can be found in its own network: by /.well-known/core, without DTLS, at its own address and in the group All
// CoAP Nodes (RFC 7252 section 12.8).
type local struct {
	unicast, group net.PacketConn
	in             chan heard
	quit           chan struct{}
	readers        sync.WaitGroup
}

// delayed is an answer that waits for its leisure.
type delayed struct {
	at time.Duration
	m  *coap.Message
	to net.Addr
}

func (s *Sensor) listen() (*local, error) {
	l := &local{in: make(chan heard, 16), quit: make(chan struct{})}
	var err error
	if l.unicast, l.group, err = s.cfg.Local(); err != nil {
		return nil, err
	}
	for _, conn := range []net.PacketConn{l.unicast, l.group} {
		if conn != nil {
			l.readers.Go(func() { l.read(conn, conn == l.group) })
		}
	}
	return l, nil
}

func (l *local) read(conn net.PacketConn, group bool) {
	b := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		select {
		case l.in <- heard{bytes.Clone(b[:n]), from, group}:
		case <-l.quit:
			return
		}
	}
}

func (l *local) close() {
	close(l.quit)
	_ = l.unicast.Close() // datagrams: nothing is lost by it
	if l.group != nil {
		_ = l.group.Close()
	}
	l.readers.Wait()
}

// near answers a request from the sensor's own network.
func (s *Sensor) near(h heard) {
	m, err := coap.Decode(h.raw)
	if err != nil || !m.Code.Request() {
		if err == nil && m.Type == coap.CON && !h.group {
			s.reply(&coap.Message{Type: coap.RST, ID: m.ID}, h.from)
		}
		return
	}
	if h.group {
		s.found(m, h.from)
		return
	}
	answer := &coap.Message{Type: coap.ACK, ID: m.ID, Token: m.Token}
	if m.Type == coap.NON {
		answer.Type, answer.ID = coap.NON, s.nextID()
	}
	switch echo, _ := m.Get(coap.Echo); {
	case m.Path() != "/.well-known/core" || m.Code != coap.GET:
		answer.Code = coap.NotFound
	case !bytes.Equal(echo, s.echo(h.from)) && !s.has("coap-amplifies"):
		answer.Code = coap.Unauthorized // show first that you are where you say you are (RFC 9175 section 2.3)
		answer.Add(coap.Echo, s.echo(h.from))
	default:
		accept, accepts := m.Uint(coap.Accept)
		s.content(m, answer, coap.LinkFormat, accept, accepts, []byte(links))
	}
	s.reply(answer, h.from)
}

// echo is what a peer must send back to show that it receives what is sent to its address.
func (s *Sensor) echo(from net.Addr) []byte {
	h := fnv.New64a()
	_, _ = h.Write([]byte(from.String())) // a hash never fails
	_, _ = h.Write(s.cfg.Key)
	return h.Sum(nil)
}

// found answers a request to the group, unless it would be an error, and not at once (RFC 7252 section 8.2).
func (s *Sensor) found(m *coap.Message, from net.Addr) {
	known := m.Path() == "/.well-known/core" && m.Code == coap.GET
	if m.Type != coap.NON || !known && !s.has("coap-multicast-errors") {
		return
	}
	answer := &coap.Message{Type: coap.NON, ID: s.nextID(), Token: m.Token, Code: coap.NotFound}
	if known {
		answer.Code, answer.Payload = coap.Content, []byte(links)
		answer.AddUint(coap.ContentFormat, coap.LinkFormat)
	}
	wait := time.Duration(s.rng.Int64N(int64(leisure)))
	switch {
	case s.has("coap-leisure-none"):
		wait = 0
	case s.has("coap-leisure-long"):
		wait += 2 * leisure
	}
	if len(s.delayed) < cacheMax {
		s.delayed = append(s.delayed, delayed{s.up + wait, answer, from})
	}
}

// release sends what has waited long enough.
func (s *Sensor) release() {
	kept := s.delayed[:0]
	for _, d := range s.delayed {
		if s.up < d.at {
			kept = append(kept, d)
			continue
		}
		s.reply(d.m, d.to)
	}
	s.delayed = kept
}

func (s *Sensor) reply(m *coap.Message, to net.Addr) {
	if !s.off.Load() {
		_, _ = s.local.unicast.WriteTo(m.Bytes(), to) // what cannot be sent is lost, as any datagram may be
	}
}
