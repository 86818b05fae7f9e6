package mdns

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// Group is where multicast DNS is spoken over IPv4.
var Group = netip.MustParseAddrPort("224.0.0.251:5353")

// TTL is the IP TTL that every packet shall have (RFC 6762, section 11).
const TTL = 255

// Bounds of a packet that may be hostile.
const (
	maxPacket  = 9000 // bytes, RFC 6762, section 17
	maxRecords = 128  // of each section that are kept
	maxText    = 512  // bytes of a record's text that are kept
)

// Sort is what a packet is for.
type Sort string

// The sorts of packets (RFC 6762, sections 5, 6, 8 and 10.1).
const (
	Query        Sort = "query"
	Probe        Sort = "probe"        // a query with the sender's own records in its authority section
	Answer       Sort = "answer"       // a response to a query that was heard shortly before
	Announcement Sort = "announcement" // a response that nobody asked for
	Goodbye      Sort = "goodbye"      // a response with a record whose TTL is 0
)

// Packet is one multicast DNS packet.
type Packet struct {
	Sort       Sort           `json:"sort"`
	From       netip.AddrPort `json:"from"`
	To         netip.AddrPort `json:"to"`
	IPTTL      int            `json:"ip_ttl"` // 0: not known
	Authority  bool           `json:"authoritative"`
	Questions  []Question     `json:"questions,omitempty"`
	Answers    []Record       `json:"answers,omitempty"`
	Proposed   []Record       `json:"proposed,omitempty"` // the authority section
	Additional []Record       `json:"additional,omitempty"`
}

// Question is one of a query.
type Question struct {
	Name    string `json:"name"` // lower case, with the dot at its end
	Type    string `json:"type"`
	Unicast bool   `json:"unicast,omitempty"` // the answer may come to the asker alone
}

// Record is a resource record.
type Record struct {
	Name    string     `json:"name"` // lower case, with the dot at its end
	Type    string     `json:"type"`
	TTL     uint32     `json:"ttl"` // seconds
	Flush   bool       `json:"flush,omitempty"`
	Data    string     `json:"data"`
	Address netip.Addr `json:"address,omitzero"` // of A and AAAA
	Target  string     `json:"target,omitempty"` // of PTR and SRV, lower case
	Port    uint16     `json:"port,omitempty"`   // of SRV
}

// String is the packet in one line.
func (p *Packet) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s from %s", p.Sort, p.From.Addr())
	for _, q := range p.Questions {
		fmt.Fprintf(&b, ", %s %s?", q.Name, q.Type)
	}
	for _, r := range p.Answers {
		fmt.Fprintf(&b, ", %s %s %s (%d s)", r.Name, r.Type, r.Data, r.TTL)
	}
	for _, r := range p.Proposed {
		fmt.Fprintf(&b, ", proposes %s %s %s", r.Name, r.Type, r.Data)
	}
	if s := b.String(); len(s) <= 400 {
		return s
	}
	return b.String()[:400] + "…"
}

// Names reports whether the packet is about the name: asks for it, or holds a record of it in any section.
func (p *Packet) Names(name string) bool {
	for _, q := range p.Questions {
		if q.Name == name {
			return true
		}
	}
	for _, list := range [][]Record{p.Answers, p.Proposed, p.Additional} {
		for _, r := range list {
			if r.Name == name {
				return true
			}
		}
	}
	return false
}

// Holds is the first record of that name and type in the answers or the additional records, or nil.
func (p *Packet) Holds(name, kind string) *Record {
	for _, list := range [][]Record{p.Answers, p.Additional} {
		for i := range list {
			if list[i].Name == name && list[i].Type == kind {
				return &list[i]
			}
		}
	}
	return nil
}

// Decode reads a packet. Its sort is that of a packet that nobody asked for.
func Decode(b []byte) (*Packet, error) {
	if len(b) > maxPacket {
		return nil, fmt.Errorf("decode mDNS packet: %d bytes are more than %d", len(b), maxPacket)
	}
	var m dns.Msg
	if err := m.Unpack(b); err != nil {
		return nil, fmt.Errorf("decode mDNS packet: %w", err)
	}
	if m.Opcode != dns.OpcodeQuery {
		return nil, errors.New("decode mDNS packet: its opcode is not that of a query")
	}
	p := &Packet{Authority: m.Authoritative}
	for _, q := range m.Question[:min(len(m.Question), maxRecords)] {
		p.Questions = append(p.Questions, Question{
			Name: strings.ToLower(q.Name), Type: dns.Type(q.Qtype).String(), Unicast: q.Qclass&unicastBit != 0,
		})
	}
	p.Answers, p.Proposed, p.Additional = records(m.Answer), records(m.Ns), records(m.Extra)
	switch {
	case !m.Response && len(p.Proposed) > 0:
		p.Sort = Probe
	case !m.Response:
		p.Sort = Query
	default:
		p.Sort = Announcement
		for _, r := range p.Answers {
			if r.TTL == 0 {
				p.Sort = Goodbye
			}
		}
	}
	return p, nil
}

// The top bit of a class: in a question the wish for an answer by unicast, in a record the order to flush what is cached (RFC 6762,
// sections 5.4 and 10.2).
const (
	unicastBit = 1 << 15
	flushBit   = 1 << 15
)

func records(all []dns.RR) []Record {
	var kept []Record
	for _, rr := range all[:min(len(all), maxRecords)] {
		h := rr.Header()
		if h.Rrtype == dns.TypeOPT {
			continue
		}
		r := Record{Name: strings.ToLower(h.Name), Type: dns.Type(h.Rrtype).String(), TTL: h.Ttl, Flush: h.Class&flushBit != 0}
		r.Data = strings.TrimPrefix(rr.String(), h.String())
		r.Data = r.Data[:min(len(r.Data), maxText)]
		switch v := rr.(type) {
		case *dns.A:
			r.Address, _ = netip.AddrFromSlice(v.A.To4())
		case *dns.AAAA:
			r.Address, _ = netip.AddrFromSlice(v.AAAA)
		case *dns.PTR:
			r.Target = strings.ToLower(v.Ptr)
		case *dns.SRV:
			r.Target, r.Port = strings.ToLower(v.Target), v.Port
		}
		kept = append(kept, r)
	}
	return kept
}
