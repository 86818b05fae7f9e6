package device

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// group is where multicast DNS is spoken (RFC 6762, section 3).
var group = netip.MustParseAddrPort("224.0.0.251:5353")

// service is what the device's local API is found by (RFC 6763).
const service = "_thermostat._tcp.local."

// Times of RFC 6762.
const (
	probeGap    = 250 * time.Millisecond // section 8.1
	probes      = 3
	announceGap = time.Second // section 8.3
	announces   = 2
	lookAround  = time.Second     // how often the address is looked at
	crowded     = 5 * time.Second // between attempts after 15 conflicts, section 8.1
)

// responder tells the home network of the device, by multicast DNS.
type responder struct {
	home   *household
	rng    *rand.Rand
	number int // in the name, after conflicts; 0: none
	told   func(addr netip.Addr, number int)

	conn      net.PacketConn
	addr      netip.Addr
	probing   int           // probes that are still to be sent
	announced int           // announcements that are still to be sent
	settled   bool          // the name is the device's own
	at        time.Duration // of the next probe or announcement; 0: none
	conflicts int           // in a row, each within 10 s of the one before
	lastAt    time.Duration // of the last conflict
	flawed    responderFlaws
}

// heard is a packet from the group.
type heard struct {
	msg  *dns.Msg
	from *net.UDPAddr
}

func (r *responder) now() time.Duration { return r.home.cfg.Clock.Passed() }

// run serves until the device leaves its home.
func (r *responder) run() {
	conn, err := r.home.cfg.Home.ListenMulticast(group, r.ttl())
	if err != nil {
		r.home.con.say("no multicast DNS: %v", err)
		return
	}
	r.conn = conn
	in := make(chan heard)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.read(in)
	}()
	defer func() {
		_ = conn.Close() // it wakes read
		<-done
	}()
	wake := make(chan struct{}, 1)
	for {
		r.turn()
		wait := lookAround
		if r.at != 0 {
			wait = min(wait, max(r.at-r.now(), 0))
		}
		timer := r.home.cfg.Clock.AfterFunc(wait, func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		select {
		case <-r.home.off.Done():
			timer.Stop()
			if r.home.polite.Load() {
				r.goodbye()
			}
			return
		case h := <-in:
			r.hear(h)
		case <-wake:
		}
		timer.Stop()
	}
}

// read takes packets from the group and leaves out what does not decode.
func (r *responder) read(in chan<- heard) {
	buf := make([]byte, 9000)
	for {
		n, from, err := r.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		h := heard{msg: new(dns.Msg)}
		h.from, _ = from.(*net.UDPAddr)
		if h.from == nil || h.msg.Unpack(buf[:n]) != nil || h.msg.Opcode != dns.OpcodeQuery {
			continue
		}
		select {
		case in <- h:
		case <-r.home.off.Done():
			return
		}
	}
}

// turn does what is due by the time alone.
func (r *responder) turn() {
	if now := r.home.address(); now != r.addr && !r.overlooks() {
		first := !r.addr.IsValid()
		r.addr = now
		r.at, r.probing, r.announced = 0, 0, 0
		if !now.IsValid() {
			return
		}
		r.tell()
		if first || !r.settled {
			r.probe(time.Duration(r.rng.Int64N(int64(probeGap))))
		} else {
			r.announced, r.at = announces, r.now()
		}
	}
	if r.at == 0 || r.now() < r.at {
		return
	}
	switch {
	case r.probing > 0:
		r.send(r.probeMessage(), group)
		r.probing--
		r.at = r.now() + probeGap
		if r.probing == 0 {
			r.announced = announces
		}
	case r.announced > 0:
		if !r.settled {
			r.settled = true
			r.home.con.say("known in the home network as %s", r.host())
		}
		r.announced--
		r.at = r.now() + announceGap
		r.announce()
	default:
		r.at = 0
	}
	r.turnFlawed()
}

// tell has the device know its address and name.
func (r *responder) tell() {
	addr, number := r.addr, r.number
	r.home.call(func() { r.told(addr, number) })
}

// probe asks whether the name is free, before the device takes it (RFC 6762, section 8.1).
func (r *responder) probe(in time.Duration) {
	r.settled, r.probing, r.announced, r.at = false, probes, 0, r.now()+in
	r.probeFlawed()
}

// label is the device's name.
func (r *responder) label() string {
	name := "thermostat-" + r.home.cfg.ID
	if r.number > 0 {
		name += fmt.Sprintf("-%d", r.number)
	}
	return name
}

func (r *responder) host() string     { return strings.ToLower(r.label()) + ".local." }
func (r *responder) instance() string { return strings.ToLower(r.label()) + "." + service }

// unique are the records that only this device has; they are answered, probed and defended.
func (r *responder) unique() []dns.RR {
	const flush = 1 << 15
	head := func(name string, kind uint16, ttl uint32) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET | flush, Ttl: ttl}
	}
	return r.uniqueFlawed([]dns.RR{
		&dns.A{Hdr: head(r.host(), dns.TypeA, 120), A: r.addr.AsSlice()},
		&dns.SRV{Hdr: head(r.instance(), dns.TypeSRV, 120), Port: localPort, Target: r.host()},
		&dns.TXT{Hdr: head(r.instance(), dns.TypeTXT, 4500), Txt: []string{"fw=" + r.home.cfg.Firmware}},
	})
}

// shared are the records that others have too.
func (r *responder) shared() []dns.RR {
	head := func(name string) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: 4500}
	}
	return []dns.RR{
		&dns.PTR{Hdr: head(service), Ptr: r.instance()},
		&dns.PTR{Hdr: head("_services._dns-sd._udp.local."), Ptr: service},
	}
}

// probeMessage asks for both names and proposes the device's records for them.
func (r *responder) probeMessage() *dns.Msg {
	m := new(dns.Msg)
	for _, name := range []string{r.host(), r.instance()} {
		m.Question = append(m.Question, dns.Question{Name: name, Qtype: dns.TypeANY, Qclass: dns.ClassINET})
	}
	for _, rr := range r.unique() {
		rr.Header().Class = dns.ClassINET
		m.Ns = append(m.Ns, rr)
	}
	return m
}

// announce tells everyone.
func (r *responder) announce() {
	if r.home.cfg.has("mdns-no-announce") {
		return
	}
	r.respond(slices.Concat(r.shared()[:1], r.unique()))
}

// goodbye takes everything back (RFC 6762, section 10.1).
func (r *responder) goodbye() {
	if !r.settled {
		return
	}
	gone := r.goodbyeFlawed(slices.Concat(r.shared()[:1], r.unique()))
	for _, rr := range gone {
		rr.Header().Ttl = 0
	}
	if len(gone) > 0 {
		r.respond(gone)
	}
}

func (r *responder) respond(answers []dns.RR) {
	m := new(dns.Msg)
	m.Response, m.Authoritative, m.Answer = true, true, answers
	r.send(m, group)
}

func (r *responder) send(m *dns.Msg, to netip.AddrPort) {
	m.Compress = true
	if b, err := m.Pack(); err == nil {
		_, _ = r.conn.WriteTo(b, net.UDPAddrFromAddrPort(to)) // what is lost is asked for again
	}
}

// hear takes a packet of another.
func (r *responder) hear(h heard) {
	if !r.addr.IsValid() {
		return
	}
	if h.msg.Response {
		if h.from.Port == int(group.Port()) && r.contradicts(h.msg.Answer) {
			r.contested()
		}
		return
	}
	if r.probing > 0 {
		if len(h.msg.Ns) > 0 && r.loses(h.msg.Ns) {
			r.probe(time.Second) // section 8.2: the other goes first
		}
		return
	}
	if r.settled && !r.ignores(h.msg) {
		r.answer(h)
	}
}

// ours is the record of the device's own with that name and type, or nil.
func (r *responder) ours(h *dns.RR_Header) dns.RR {
	for _, rr := range r.unique() {
		if rr.Header().Rrtype == h.Rrtype && strings.EqualFold(rr.Header().Name, h.Name) {
			return rr
		}
	}
	return nil
}

// contradicts reports whether a record says something else of the device's name (RFC 6762, section 9).
func (r *responder) contradicts(answers []dns.RR) bool {
	for _, rr := range answers {
		if own := r.ours(rr.Header()); own != nil && rr.Header().Ttl > 0 && !bytes.Equal(rdata(own), rdata(rr)) {
			return true
		}
	}
	return false
}

// contested goes back to probing; who loses a name while probing takes another.
func (r *responder) contested() {
	if r.contestedFlawed() {
		return
	}
	if r.now()-r.lastAt > 10*time.Second {
		r.conflicts = 0
	}
	r.conflicts, r.lastAt = r.conflicts+1, r.now()
	wait := time.Duration(r.rng.Int64N(int64(probeGap)))
	if r.conflicts >= 15 {
		wait = crowded
	}
	if r.settled {
		r.probe(wait)
		return
	}
	r.number = max(r.number+1, 2)
	r.home.con.say("the name is taken, next: %s", r.host())
	r.tell()
	r.probe(wait)
}

// loses reports whether the records that another proposes at the same time win over the device's own (RFC 6762, section 8.2).
func (r *responder) loses(proposed []dns.RR) bool {
	for _, rr := range proposed {
		if own := r.ours(rr.Header()); own != nil {
			if c := bytes.Compare(rdata(own), rdata(rr)); c != 0 {
				return c < 0
			}
		}
	}
	return false
}

// rdata is the data of a record, without compression.
func rdata(rr dns.RR) []byte {
	b := make([]byte, dns.Len(rr)+1)
	n, err := dns.PackRR(rr, b, 0, nil, false)
	if err != nil {
		return nil
	}
	name, err := dns.PackDomainName(rr.Header().Name, make([]byte, 256), 0, nil, false)
	if err != nil || n < name+10 {
		return nil
	}
	return b[name+10 : n]
}

// answer tells what is asked for and not known to the asker (RFC 6762, sections 6 and 7.1).
func (r *responder) answer(h heard) {
	var answers []dns.RR
	for _, q := range h.msg.Question {
		for _, rr := range slices.Concat(r.unique(), r.shared()) {
			asked := strings.EqualFold(q.Name, rr.Header().Name) && (q.Qtype == dns.TypeANY || q.Qtype == rr.Header().Rrtype)
			if asked && !r.knownTo(h.msg.Answer, rr) {
				answers = append(answers, rr)
			}
		}
	}
	if len(answers) == 0 {
		return
	}
	if h.from.Port == int(group.Port()) {
		m := new(dns.Msg)
		m.Response, m.Authoritative, m.Answer = true, true, answers
		if answers[0].Header().Rrtype == dns.TypePTR {
			m.Extra = r.unique()
		}
		r.send(m, group)
		return
	}
	m := new(dns.Msg)
	m.SetReply(h.msg) // section 6.7: a resolver that knows no multicast
	m.Authoritative = true
	for _, rr := range answers {
		rr.Header().Class, rr.Header().Ttl = dns.ClassINET, min(rr.Header().Ttl, 10)
	}
	m.Answer = answers
	r.send(m, h.from.AddrPort())
}

func (r *responder) knownTo(known []dns.RR, rr dns.RR) bool {
	return slices.ContainsFunc(known, func(k dns.RR) bool {
		return k.Header().Rrtype == rr.Header().Rrtype && strings.EqualFold(k.Header().Name, rr.Header().Name) &&
			k.Header().Ttl >= rr.Header().Ttl/2 && bytes.Equal(rdata(k), rdata(rr))
	})
}
