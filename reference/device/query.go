package device

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// errNoResolver says that none of the resolvers gave an answer that could be used.
var errNoResolver = errors.New("no resolver answers")

// query asks one resolver after the other for the records of a name, until one of them knows. Those that do not answer are asked again.
func (r *resolver) query(ctx context.Context, name string, t dnsmessage.Type) (*dnsmessage.Message, error) {
	full, err := dnsmessage.NewName(name + ".")
	if err != nil {
		return nil, fmt.Errorf("name %q: %w", name, err)
	}
	q := dnsmessage.Question{Name: full, Type: t, Class: dnsmessage.ClassINET}
	why := errNoResolver
	silent := r.resolvers()
	for range r.rounds() {
		again := silent
		silent = nil
		for _, at := range again {
			m, err := r.exchange(ctx, netip.AddrPortFrom(at, 53), q)
			switch {
			case err != nil:
				why, silent = err, append(silent, at)
			case m.RCode == dnsmessage.RCodeSuccess, m.RCode == dnsmessage.RCodeNameError && !r.cfg.has("dns-failure-storm"):
				return m, nil
			default:
				why = fmt.Errorf("resolver %s says %s", at, m.RCode)
			}
			if ctx.Err() != nil {
				return nil, why
			}
		}
		silent = r.silentFlawed(ctx, silent, again)
	}
	return nil, why
}

// exchange is one question to one resolver, over UDP and, when the answer does not fit, over TCP.
func (r *resolver) exchange(ctx context.Context, at netip.AddrPort, q dnsmessage.Question) (*dnsmessage.Message, error) {
	id := r.id()
	b, err := (&dnsmessage.Message{
		Header:      dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions:   []dnsmessage.Question{q},
		Additionals: []dnsmessage.Resource{{Header: edns(), Body: &dnsmessage.OPTResource{}}},
	}).Pack()
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	m, err := r.overUDP(ctx, at, b, id, q)
	if err != nil || !m.Truncated {
		return m, err
	}
	if r.cfg.has("dns-no-tcp") {
		return nil, fmt.Errorf("ask %s: %w", at, io.ErrShortBuffer)
	}
	return r.overTCP(ctx, at, b, id, q)
}

// edns says how large an answer over UDP may be (RFC 6891).
func edns() (h dnsmessage.ResourceHeader) {
	_ = h.SetEDNS0(udpSize, dnsmessage.RCodeSuccess, false) // fails for other codes only
	return h
}

// overUDP asks from a port of its own. Whatever is not the answer to this question from whom was asked is passed over.
func (r *resolver) overUDP(ctx context.Context, at netip.AddrPort, b []byte, id uint16, q dnsmessage.Question) (*dnsmessage.Message, error) {
	conn, err := r.socket(at)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(r.cfg.Clock.Deadline(-time.Second)) })
	defer stop()
	if err := conn.SetDeadline(r.cfg.Clock.Deadline(queryWait)); err != nil {
		return nil, err
	}
	if _, err := conn.WriteTo(b, net.UDPAddrFromAddrPort(at)); err != nil {
		return nil, fmt.Errorf("ask %s: %w", at, err)
	}
	buf := make([]byte, udpSize)
	for ctx.Err() == nil {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", at, err)
		}
		source, err := netip.ParseAddrPort(from.String())
		if err != nil || source.Port() != at.Port() || source.Addr().Unmap() != at.Addr() {
			if !r.cfg.has("dns-any-source") {
				continue
			}
		}
		if m := r.read(buf[:n], id, q); m != nil {
			return m, nil
		}
	}
	return nil, ctx.Err()
}

// read is the answer in b; nil when it is no message, or not the answer to this question.
func (r *resolver) read(b []byte, id uint16, q dnsmessage.Question) *dnsmessage.Message {
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil {
		r.malformedFlawed(b, id)
		return nil
	}
	if !m.Response || m.ID != id && !r.cfg.has("dns-any-id") {
		return nil
	}
	if len(m.Questions) != 1 || !sameName(m.Questions[0].Name.String(), q.Name.String()) || m.Questions[0].Type != q.Type {
		if !r.cfg.has("dns-any-question") {
			return nil
		}
	}
	return &m
}

// overTCP asks over a connection (RFC 7766).
func (r *resolver) overTCP(ctx context.Context, at netip.AddrPort, b []byte, id uint16, q dnsmessage.Question) (*dnsmessage.Message, error) {
	ctx, cancel := r.cfg.Clock.Timeout(ctx, queryWait)
	defer cancel()
	conn, err := r.cfg.Dial(ctx, "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("ask %s over TCP: %w", at, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(r.cfg.Clock.Deadline(-time.Second)) })
	defer stop()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return nil, fmt.Errorf("ask %s over TCP: %w", at, err)
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, fmt.Errorf("ask %s over TCP: %w", at, err)
	}
	answer := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, fmt.Errorf("ask %s over TCP: %w", at, err)
	}
	m := r.read(answer, id, q)
	if m == nil {
		return nil, fmt.Errorf("ask %s over TCP: no answer to the question", at)
	}
	return m, nil
}

// Ports from which questions are asked: those that are nobody's (RFC 6056, section 3.2).
const (
	firstPort = 49152
	ports     = 65536 - firstPort
)

// socket opens a port that nobody can foresee.
func (r *resolver) socket(at netip.AddrPort) (net.PacketConn, error) {
	any := netip.IPv4Unspecified()
	if at.Addr().Is6() {
		any = netip.IPv6Unspecified()
	}
	var err error
	for range 5 {
		var conn net.PacketConn
		if conn, err = r.cfg.ListenPacket(netip.AddrPortFrom(any, r.port())); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// port is the source port of a question.
func (r *resolver) port() uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cfg.has("dns-port-fixed") {
		return firstPort + uint16(r.rng.Uint32()%2)
	}
	return firstPort + uint16(r.rng.Uint32()%ports)
}

// id is the id of a question.
func (r *resolver) id() uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cfg.has("dns-id-sequential") {
		r.flaw.id++
		return r.flaw.id
	}
	return uint16(r.rng.Uint32())
}
