package dns

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// NAT64 is the well-known prefix of IPv6 addresses that stand for those of IPv4 (RFC 6052, section 2.1).
var NAT64 = netip.MustParsePrefix("64:ff9b::/96")

// synthesisedAtMost is how long a record may be kept that was made without an SOA record to go by (RFC 6147, section 5.1.7).
const synthesisedAtMost = 600 * time.Second

// DNS64 answers that a name has the IPv6 addresses in which a NAT64 expects its IPv4 addresses, where it has no IPv6 address of its own
// (RFC 6147). Prefix has 96 bits. It does not translate the other way, from addresses to names.
func DNS64(prefix netip.Prefix) Behaviour {
	return Behaviour{text: fmt.Sprintf("DNS64 with %s", prefix), run: func(x *exchange) { x.reply(x.synthesise(prefix), "") }}.Type("AAAA")
}

// synthesise is the zone's answer to a query for AAAA, with addresses made of the A records where it has none. A client that validates
// itself gets the truth (section 5.5).
func (x *exchange) synthesise(prefix netip.Prefix) *dns.Msg {
	has := x.s.o.Zone.answer(x.query)
	isAAAA := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeAAAA }
	opt := x.query.IsEdns0()
	if has.Rcode != dns.RcodeSuccess || slices.ContainsFunc(has.Answer, isAAAA) || x.query.CheckingDisabled && opt != nil && opt.Do() {
		return has
	}
	ask := x.query.Copy()
	ask.Question[0].Qtype = dns.TypeA
	m := x.s.o.Zone.answer(ask)
	most := uint32(synthesisedAtMost / time.Second)
	for _, rr := range has.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			most = soa.Hdr.Ttl
		}
	}
	made := false
	for i, rr := range m.Answer {
		a, ok := rr.(*dns.A)
		if !ok {
			continue
		}
		made = true
		ip := prefix.Addr().As16()
		copy(ip[12:], a.A.To4())
		m.Answer[i] = &dns.AAAA{
			Hdr:  dns.RR_Header{Name: a.Hdr.Name, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: min(a.Hdr.Ttl, most)},
			AAAA: ip[:],
		}
	}
	if !made {
		return has
	}
	m.SetReply(x.query)
	m.RecursionAvailable = true
	return m
}
