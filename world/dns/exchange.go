package dns

import (
	"errors"
	"net"
	"time"

	"github.com/miekg/dns"
	"github.com/shakedown-test/shakedown/evidence"
)

// exchange is one query and what is done with it.
type exchange struct {
	s     *Server
	query *dns.Msg
	q     Query
	send  func(net.PacketConn, []byte) error
}

// room is how many bytes of an answer the client takes.
func (x *exchange) room() int {
	if x.q.TCP {
		return dns.MaxMsgSize
	}
	if opt := x.query.IsEdns0(); opt != nil {
		return max(plainSize, min(int(opt.UDPSize()), maxMessage))
	}
	return plainSize
}

// reply sends an answer from the port that was asked.
func (x *exchange) reply(m *dns.Msg, lie string) { x.from(x.s.o.UDP, m, lie) }

// from sends an answer from another socket.
func (x *exchange) from(conn net.PacketConn, m *dns.Msg, lie string) {
	if x.query.IsEdns0() != nil && m.IsEdns0() == nil {
		m.SetEdns0(maxMessage, false)
	}
	m.Compress = true
	m.Truncate(x.room())
	b, err := m.Pack()
	if err != nil {
		x.s.add(evidence.Event{Kind: evidence.Seen, Text: "no answer to " + x.q.String() + ": " + err.Error()})
		return
	}
	a := newAnswer(x.q, m, lie)
	x.out(conn, b, a, a.text(m))
}

// out sends bytes. The event comes before them, so that what they lead to comes after it.
func (x *exchange) out(conn net.PacketConn, b []byte, a Answer, text string) {
	x.s.add(evidence.Event{Kind: evidence.Out, Text: text, Size: len(b), Data: a})
	if err := x.send(conn, b); err != nil && x.s.ctx.Err() == nil {
		x.s.add(evidence.Event{Kind: evidence.Seen, Text: "answer to " + x.q.String() + " not sent: " + err.Error()})
	}
}

// honest is the answer of the zone, or of those that are asked beyond it.
func (x *exchange) honest() *dns.Msg {
	m := x.s.o.Zone.answer(x.query)
	ask, ok := x.s.o.Zone.beyond.Top()
	if !ok || m.Rcode != dns.RcodeNameError || len(m.Answer) > 0 {
		return m
	}
	if x.query.Question[0].Qtype != dns.TypeA {
		m.Rcode = dns.RcodeSuccess // whether the name is there, the question for its address tells
		return m
	}
	addrs, err := ask(x.s.ctx, x.q.Name)
	var known *net.DNSError
	switch {
	case errors.As(err, &known) && known.IsNotFound || err == nil && len(addrs) == 0:
	case err != nil:
		m.Rcode, m.Ns = dns.RcodeServerFailure, nil
	default:
		m.Rcode, m.Ns = dns.RcodeSuccess, nil
		m.Answer = (&entry{Records: Records{TTL: BeyondTTL, A: addrs}}).records(x.query.Question[0].Name, dns.TypeA)
	}
	return m
}

// code answers with a code and nothing else.
func (x *exchange) code(rcode int) {
	m := new(dns.Msg)
	m.SetRcode(x.query, rcode)
	m.RecursionAvailable = true
	if rcode == dns.RcodeNameError {
		m.Ns = []dns.RR{authority(x.query.Question[0].Name)}
	}
	x.reply(m, "as told")
}

// wait lets device time pass; false when the server ends meanwhile.
func (x *exchange) wait(d time.Duration) bool { return x.s.o.Clock.Sleep(x.s.ctx, d) == nil }
