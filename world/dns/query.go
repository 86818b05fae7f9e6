package dns

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	"github.com/shakedown-test/shakedown/evidence"
)

// Query is one question that came, as the Data of an In event.
type Query struct {
	Name string         `json:"name"` // in lower case, without the last dot
	Type string         `json:"type"` // "A", "AAAA", …
	ID   uint16         `json:"id"`
	From netip.AddrPort `json:"from"` // as the server sees it: behind a NAT, the router's
	TCP  bool           `json:"tcp,omitempty"`
}

// String tells it in one line.
func (q Query) String() string {
	over := ""
	if q.TCP {
		over = " over TCP"
	}
	return fmt.Sprintf("%s %s.? from %s id %d%s", q.Type, q.Name, q.From, q.ID, over)
}

// Answer is what was sent for a Query, as the Data of an Out event.
type Answer struct {
	Query Query        `json:"query"`
	Code  string       `json:"code"` // "NOERROR", "SERVFAIL", …
	Addrs []netip.Addr `json:"addrs,omitempty"`
	Lie   string       `json:"lie,omitempty"` // what is wrong with it; empty: it is what the zone says
}

// Asked reports the query that an event is; false when it is none.
func Asked(e evidence.Event) (Query, bool) {
	q, ok := e.Data.(Query)
	return q, ok && e.Kind == evidence.In
}

// Answered reports the answer that an event is; false when it is none.
func Answered(e evidence.Event) (Answer, bool) {
	a, ok := e.Data.(Answer)
	return a, ok && e.Kind == evidence.Out
}

func newQuery(m *dns.Msg, from netip.AddrPort, tcp bool) Query {
	q := m.Question[0]
	typ, ok := dns.TypeToString[q.Qtype]
	if !ok {
		typ = fmt.Sprintf("TYPE%d", q.Qtype)
	}
	name := strings.TrimSuffix(strings.ToLower(q.Name), ".")
	return Query{Name: name, Type: typ, ID: m.Id, From: from, TCP: tcp}
}

func newAnswer(q Query, m *dns.Msg, lie string) Answer {
	a := Answer{Query: q, Code: dns.RcodeToString[m.Rcode], Lie: lie}
	for _, rr := range m.Answer {
		var ip []byte
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A.To4()
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if addr, ok := netip.AddrFromSlice(ip); ok {
			a.Addrs = append(a.Addrs, addr)
		}
	}
	return a
}

// text tells an answer in one line.
func (a Answer) text(m *dns.Msg) string {
	var words []string
	for _, rr := range m.Answer {
		value := strings.TrimPrefix(rr.String(), rr.Header().String())
		words = append(words, fmt.Sprintf("%s ttl %d", value, rr.Header().Ttl))
	}
	if m.Truncated {
		words = append(words, "truncated")
	}
	if len(words) == 0 || m.Rcode != dns.RcodeSuccess {
		words = append(words, a.Code)
	}
	text := fmt.Sprintf("%s %s.: %s", a.Query.Type, a.Query.Name, strings.Join(words, ", "))
	if a.Lie != "" {
		text += " (" + a.Lie + ")"
	}
	return text
}
