package mdns

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/shakedown-test/shakedown/evidence"
)

// Responder is a neighbour with names of its own. It is safe for concurrent use.
type Responder struct {
	o    Options
	conn net.PacketConn
	done chan struct{}

	mu    sync.Mutex
	has   []dns.RR
	claim map[string]netip.Addr // names that it takes from others, with its own address
}

// How long others may keep a record: 120 s where it names a host, 75 min otherwise (RFC 6762, section 10).
const (
	hostTTL  = 120
	otherTTL = 4500
)

// Serve answers on a socket in the group until Close, which closes the socket too.
func Serve(conn net.PacketConn, o Options) *Responder {
	r := &Responder{o: o, conn: conn, done: make(chan struct{}), claim: map[string]netip.Addr{}}
	go r.run()
	return r
}

// Close ends the responder without a word.
func (r *Responder) Close() {
	_ = r.conn.Close()
	<-r.done
}

// Host gives the responder a host name, such as "printer.local.", announces it, and says goodbye to it by leave.
func (r *Responder) Host(name string, addr netip.Addr) (leave func()) {
	return r.add(&dns.A{Hdr: header(name, dns.TypeA, hostTTL, true), A: addr.AsSlice()})
}

// Service gives the responder an instance of a service, such as "Printer" of "_ipp._tcp.local.", on a port of a host name of its own.
func (r *Responder) Service(instance, service, host string, port uint16, text ...string) (leave func()) {
	full := instance + "." + service
	if len(text) == 0 {
		text = []string{""}
	}
	return r.add(
		&dns.PTR{Hdr: header(service, dns.TypePTR, otherTTL, false), Ptr: full},
		&dns.SRV{Hdr: header(full, dns.TypeSRV, hostTTL, true), Port: port, Target: host},
		&dns.TXT{Hdr: header(full, dns.TypeTXT, otherTTL, true), Txt: text},
	)
}

// Claim takes a name that may be another's: it says that the name is that address, says so again whenever another probes or answers for
// the name with other data, and never gives it up (RFC 6762, section 9: the other has to). End of it is a goodbye.
func (r *Responder) Claim(name string, addr netip.Addr) (undo func()) {
	name = strings.ToLower(name)
	r.mu.Lock()
	r.claim[name] = addr
	r.mu.Unlock()
	leave := r.Host(name, addr)
	return func() {
		r.mu.Lock()
		delete(r.claim, name)
		r.mu.Unlock()
		leave()
	}
}

// Ask sends a query for a name, to the group.
func (r *Responder) Ask(name string, kind uint16) {
	m := new(dns.Msg)
	m.Question = []dns.Question{{Name: name, Qtype: kind, Qclass: dns.ClassINET}}
	r.send(m, net.UDPAddrFromAddrPort(Group))
}

// Probe asks for a name as one does who is about to take it with that address (RFC 6762, section 8.1). Whose name it is has to answer.
func (r *Responder) Probe(name string, addr netip.Addr) {
	m := new(dns.Msg)
	m.Question = []dns.Question{{Name: name, Qtype: dns.TypeANY, Qclass: dns.ClassINET}}
	m.Ns = []dns.RR{&dns.A{Hdr: header(name, dns.TypeA, hostTTL, false), A: addr.AsSlice()}}
	r.send(m, net.UDPAddrFromAddrPort(Group))
}

func header(name string, kind uint16, ttl uint32, flush bool) dns.RR_Header {
	h := dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
	if flush {
		h.Class |= flushBit
	}
	return h
}

// add takes records on and announces them.
func (r *Responder) add(rr ...dns.RR) (leave func()) {
	r.mu.Lock()
	r.has = append(r.has, rr...)
	r.mu.Unlock()
	r.say(rr...)
	return sync.OnceFunc(func() {
		r.mu.Lock()
		r.has = slices.DeleteFunc(r.has, func(o dns.RR) bool { return slices.Contains(rr, o) })
		r.mu.Unlock()
		var gone []dns.RR
		for _, one := range rr {
			last := dns.Copy(one)
			last.Header().Ttl = 0
			gone = append(gone, last)
		}
		r.say(gone...)
	})
}

// say sends records to the group.
func (r *Responder) say(rr ...dns.RR) {
	m := new(dns.Msg)
	m.Response, m.Authoritative, m.Answer = true, true, rr
	r.send(m, net.UDPAddrFromAddrPort(Group))
}

func (r *Responder) send(m *dns.Msg, to net.Addr) {
	m.Compress = true
	b, err := m.Pack()
	if err != nil {
		r.o.Log.Add(evidence.Event{Part: r.o.part(), Kind: evidence.Seen, Text: fmt.Sprintf("cannot encode a packet: %v", err)})
		return
	}
	if _, err := r.conn.WriteTo(b, to); err != nil {
		return // the socket is closed, or the network is down: nothing was sent
	}
	if p, err := Decode(b); err == nil {
		r.o.Log.Add(evidence.Event{Part: r.o.part(), Kind: evidence.Out, Text: p.String(), Size: len(b), Data: p})
	}
}

func (r *Responder) run() {
	defer close(r.done)
	buf := make([]byte, maxPacket+1)
	for {
		n, from, err := r.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if p, err := Decode(buf[:n]); err == nil {
			r.hear(p, from)
		}
	}
}

// hear answers a query, and defends what is claimed.
func (r *Responder) hear(p *Packet, from net.Addr) {
	if rr := r.contested(p); len(rr) > 0 {
		r.say(rr...)
		return
	}
	if p.Sort != Query && p.Sort != Probe {
		return
	}
	answers := r.answers(p)
	if len(answers) == 0 {
		return
	}
	a, ok := from.(*net.UDPAddr)
	if ok && a.Port != int(Group.Port()) { // a one-shot query of a plain resolver (RFC 6762, section 6.7)
		m := new(dns.Msg)
		m.Response, m.Authoritative = true, true
		for _, q := range p.Questions {
			m.Question = append(m.Question, dns.Question{Name: q.Name, Qtype: dns.StringToType[q.Type], Qclass: dns.ClassINET})
		}
		for _, rr := range answers {
			rr = dns.Copy(rr)
			rr.Header().Class &^= flushBit
			rr.Header().Ttl = min(rr.Header().Ttl, 10)
			m.Answer = append(m.Answer, rr)
		}
		r.send(m, from)
		return
	}
	r.say(answers...)
}

// answers are the records that are asked for.
func (r *Responder) answers(p *Packet) (rr []dns.RR) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range p.Questions {
		for _, has := range r.has {
			h := has.Header()
			if strings.EqualFold(h.Name, q.Name) && (q.Type == "ANY" || q.Type == dns.Type(h.Rrtype).String()) && !slices.Contains(rr, has) {
				rr = append(rr, has)
			}
		}
	}
	return rr
}

// contested are the records for claimed names of which p says something else.
func (r *Responder) contested(p *Packet) (rr []dns.RR) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, addr := range r.claim {
		for _, list := range [][]Record{p.Answers, p.Proposed} {
			for _, other := range list {
				if other.Name == name && other.TTL > 0 && other.Address != addr {
					rr = append(rr, &dns.A{Hdr: header(name, dns.TypeA, hostTTL, true), A: addr.AsSlice()})
					return rr
				}
			}
		}
	}
	return nil
}
