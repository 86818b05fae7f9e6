package dns

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// Behaviour is one way of not answering as the zone says.
type Behaviour struct {
	text string
	only func(Query) bool
	run  func(*exchange)
}

// For restricts a behaviour to some names.
func (b Behaviour) For(names ...string) Behaviour {
	b.text = fmt.Sprintf("%s for %v", b.text, names)
	return b.when(func(q Query) bool {
		return slices.ContainsFunc(names, func(name string) bool { return canonical(name) == canonical(q.Name) })
	})
}

// Type restricts a behaviour to queries for records of one type, such as "AAAA".
func (b Behaviour) Type(typ string) Behaviour {
	b.text += " for type " + typ
	return b.when(func(q Query) bool { return q.Type == typ })
}

func (b Behaviour) when(holds func(Query) bool) Behaviour {
	before := b.only
	b.only = func(q Query) bool { return (before == nil || before(q)) && holds(q) }
	return b
}

// Silent answers nothing.
func Silent() Behaviour { return Behaviour{text: "silent", run: func(*exchange) {}} }

// ServFail answers that the server failed.
func ServFail() Behaviour { return answering("SERVFAIL", dns.RcodeServerFailure) }

// NXDomain answers that no name exists.
func NXDomain() Behaviour { return answering("NXDOMAIN", dns.RcodeNameError) }

// Refused answers that the client may not ask.
func Refused() Behaviour { return answering("REFUSED", dns.RcodeRefused) }

func answering(text string, rcode int) Behaviour {
	return Behaviour{text: text, run: func(x *exchange) { x.code(rcode) }}
}

// Truncated answers over UDP that the answer does not fit; over TCP it is whole.
func Truncated() Behaviour {
	return Behaviour{text: "truncated over UDP", run: func(x *exchange) {
		m := x.s.o.Zone.answer(x.query)
		if !x.q.TCP {
			m.Truncated, m.Answer, m.Ns = true, nil, nil
		}
		x.reply(m, "")
	}}
}

// Slow answers late.
func Slow(by time.Duration) Behaviour {
	return Behaviour{text: "slow by " + by.String(), run: func(x *exchange) {
		if x.wait(by) {
			x.reply(x.s.o.Zone.answer(x.query), "")
		}
	}}
}

// Hijack gives every name one address, as a captive portal does. Names with no address of that version have none.
func Hijack(to netip.Addr) Behaviour { return HijackFor(to, time.Minute) }

// HijackFor is Hijack with the time for which the answers may be kept.
func HijackFor(to netip.Addr, ttl time.Duration) Behaviour {
	return Behaviour{text: "every name is " + to.String(), run: func(x *exchange) { x.reply(x.saying(to, ttl), "hijacked") }}
}

// saying is an answer with one address.
func (x *exchange) saying(to netip.Addr, ttl time.Duration) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(x.query)
	m.RecursionAvailable = true
	q := x.query.Question[0]
	e := &entry{Records: Records{TTL: ttl}}
	if to.Is4() {
		e.A = []netip.Addr{to}
	} else {
		e.AAAA = []netip.Addr{to}
	}
	m.Answer = e.records(q.Name, q.Qtype)
	return m
}

// Forgery is what is wrong with an answer that somebody else sent.
type Forgery string

// The forgeries.
const (
	WrongID       Forgery = "wrong id"
	WrongQuestion Forgery = "wrong question"
	WrongPort     Forgery = "wrong source port" // needs Options.Stray, and is not sent without
)

// Forgeries are all of them.
func Forgeries() []Forgery { return []Forgery{WrongID, WrongQuestion, WrongPort} }

// ahead is how long before the right answer a forged one comes, in device time.
const ahead = 500 * time.Millisecond

// Spoofed sends forged answers with another address, as somebody does who cannot see the query, and half a second later the right one.
// Over TCP, where nobody can do that, there is only the right one.
func Spoofed(to netip.Addr, forgeries ...Forgery) Behaviour {
	return Behaviour{text: fmt.Sprintf("forged answers %v with %s", forgeries, to), run: func(x *exchange) {
		if !x.q.TCP {
			for _, f := range forgeries {
				x.forge(to, f)
			}
			if !x.wait(ahead) {
				return
			}
		}
		x.reply(x.s.o.Zone.answer(x.query), "")
	}}
}

// nowhere is a name that nobody asks for.
const nowhere = "elsewhere.invalid."

func (x *exchange) forge(to netip.Addr, f Forgery) {
	m := x.saying(to, time.Minute)
	var conn net.PacketConn = x.s.o.UDP
	switch f {
	case WrongID:
		m.Id ^= 0x5aa5
	case WrongQuestion:
		m.Question = []dns.Question{{Name: nowhere, Qtype: m.Question[0].Qtype, Qclass: dns.ClassINET}}
	case WrongPort:
		if x.s.o.Stray == nil {
			return
		}
		conn = x.s.o.Stray
	}
	x.from(conn, m, string(f))
}
