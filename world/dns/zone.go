package dns

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"github.com/shakedown-test/shakedown/link"
)

// Negative is how long the zone lets a resolver keep that a name or a record is not there (RFC 2308).
const Negative = 30 * time.Second

// maxChain is how many aliases are followed for one answer. One that leads back is told once: no record is there twice (RFC 2181, section 5).
const maxChain = 32

// Records is what the zone knows of one name. A name with an alias has nothing else.
type Records struct {
	TTL     time.Duration // in whole seconds; 0: not to be kept
	A, AAAA []netip.Addr
	CNAME   string // alias of that name
	Rotate  bool   // each answer begins with the next address; else the order is fixed
}

// Zone is the names that a number of servers know. Any other name does not exist, unless Beyond says otherwise. It is safe for concurrent
// use.
type Zone struct {
	mu     sync.Mutex
	names  map[string]*entry
	beyond link.Stack[Ask]
}

// Ask finds the IPv4 addresses of a name, which is without its last dot. Its error is a *net.DNSError with IsNotFound where the name does
// not exist.
type Ask func(ctx context.Context, name string) ([]netip.Addr, error)

// BeyondTTL is that of what was asked beyond the zone.
const BeyondTTL = time.Minute

// Beyond has what the zone does not know asked elsewhere, until undo. Such names have IPv4 addresses and no other records.
func (z *Zone) Beyond(ask Ask) (undo func()) { return z.beyond.Push(ask) }

type entry struct {
	Records
	turn int
}

// NewZone is a zone without names.
func NewZone() *Zone { return &Zone{names: map[string]*entry{}} }

// Set gives a name its records in place of those that it had, until undo. "*.example.test" stands for all names below example.test
// that have none of their own.
func (z *Zone) Set(name string, r Records) (undo func()) {
	name = canonical(name)
	z.mu.Lock()
	defer z.mu.Unlock()
	was, now := z.names[name], &entry{Records: r}
	z.names[name] = now
	return func() {
		z.mu.Lock()
		defer z.mu.Unlock()
		switch {
		case z.names[name] != now: // set anew since
		case was == nil:
			delete(z.names, name)
		default:
			z.names[name] = was
		}
	}
}

// Names are those in the zone.
func (z *Zone) Names() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	var all []string
	for name := range z.names {
		all = append(all, strings.TrimSuffix(name, "."))
	}
	slices.Sort(all)
	return all
}

func canonical(name string) string { return dns.Fqdn(strings.ToLower(name)) }

// find is the entry of a name; z.mu is held.
func (z *Zone) find(name string) *entry {
	if e := z.names[name]; e != nil {
		return e
	}
	for i := range len(name) {
		if name[i] == '.' {
			if e := z.names["*"+name[i:]]; e != nil {
				return e
			}
		}
	}
	return nil
}

// answer is the zone's reply to a query for one name.
func (z *Zone) answer(query *dns.Msg) *dns.Msg {
	reply := new(dns.Msg)
	reply.SetReply(query)
	reply.RecursionAvailable = true
	q := query.Question[0]
	if q.Qclass != dns.ClassINET {
		reply.Rcode = dns.RcodeNotImplemented
		return reply
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	name := q.Name
	for followed := map[string]bool{}; len(followed) < maxChain && !followed[canonical(name)]; {
		followed[canonical(name)] = true
		e := z.find(canonical(name))
		if e == nil {
			reply.Rcode = dns.RcodeNameError
			break
		}
		if e.CNAME == "" || q.Qtype == dns.TypeCNAME {
			reply.Answer = append(reply.Answer, e.records(name, q.Qtype)...)
			break
		}
		next := dns.Fqdn(e.CNAME)
		reply.Answer = append(reply.Answer, &dns.CNAME{Hdr: e.header(name, dns.TypeCNAME), Target: next})
		name = next
	}
	if len(reply.Answer) == 0 || reply.Rcode != dns.RcodeSuccess || reply.Answer[len(reply.Answer)-1].Header().Rrtype != q.Qtype {
		reply.Ns = []dns.RR{authority(name)}
	}
	return reply
}

func (e *entry) header(name string, typ uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: typ, Class: dns.ClassINET, Ttl: uint32(e.TTL / time.Second)}
}

// records are those of one type, under the name that was asked for.
func (e *entry) records(name string, typ uint16) (all []dns.RR) {
	switch typ {
	case dns.TypeA:
		for _, a := range e.order(e.A) {
			all = append(all, &dns.A{Hdr: e.header(name, typ), A: a.AsSlice()})
		}
	case dns.TypeAAAA:
		for _, a := range e.order(e.AAAA) {
			all = append(all, &dns.AAAA{Hdr: e.header(name, typ), AAAA: a.AsSlice()})
		}
	case dns.TypeCNAME:
		if e.CNAME != "" {
			all = append(all, &dns.CNAME{Hdr: e.header(name, typ), Target: dns.Fqdn(e.CNAME)})
		}
	}
	return all
}

// order is the addresses as this answer gives them.
func (e *entry) order(addrs []netip.Addr) []netip.Addr {
	if !e.Rotate || len(addrs) == 0 {
		return addrs
	}
	first := e.turn % len(addrs)
	e.turn++
	return slices.Concat(addrs[first:], addrs[:first])
}

// authority is the SOA record that says how long an absence may be kept.
func authority(name string) dns.RR {
	_, parent, _ := strings.Cut(name, ".")
	if parent == "" {
		parent = "."
	}
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: parent, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: uint32(Negative / time.Second)},
		Ns:  "ns.invalid.", Mbox: "hostmaster.invalid.", Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: uint32(Negative / time.Second),
	}
}
