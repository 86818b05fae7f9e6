package mdns

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/link/internet"
	"github.com/shakedown-test/shakedown/world/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// home is a network with a responder, an observer and a socket of somebody else.
type home struct {
	t    *testing.T
	log  *evidence.Log
	r    *Responder
	mine netip.Addr     // of the responder
	peer net.PacketConn // of somebody else
	addr netip.Addr     // theirs
}

func newHome(t *testing.T) *home {
	t.Helper()
	clk := clock.New(1)
	log := evidence.NewLog(clk.Now, nil, false)
	w, err := internet.Open(internet.Config{Clock: clk, Log: log, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	a, _, err := w.Home().Host("neighbour")
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := w.Home().Host("other")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := a.ListenMulticast(Group, TTL)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := b.ListenMulticast(Group, TTL)
	if err != nil {
		t.Fatal(err)
	}
	h := &home{t: t, log: log, mine: a.Addresses()[0].Addr(), peer: peer, addr: b.Addresses()[0].Addr()}
	o := Options{Clock: clk, Log: log}
	Watch(w.Home().Station("observer"), o, h.mine)
	h.r = Serve(conn, o)
	t.Cleanup(h.r.Close)
	t.Cleanup(func() { peer.Close() })
	return h
}

// tell sends a message of the peer.
func (h *home) tell(m *dns.Msg) {
	h.t.Helper()
	b, err := m.Pack()
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.peer.WriteTo(b, net.UDPAddrFromAddrPort(Group)); err != nil {
		h.t.Fatal(err)
	}
}

// hear is the next packet that the peer gets.
func (h *home) hear() *Packet {
	h.t.Helper()
	buf := make([]byte, maxPacket)
	h.peer.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, _, err := h.peer.ReadFrom(buf)
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := Decode(buf[:n])
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// saw waits for a packet of the peer in the log.
func (h *home) saw(want Sort) *Packet {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	e, err := h.log.Await(ctx, 0, func(e evidence.Event) bool {
		p, ok := e.Data.(*Packet)
		return ok && e.Kind == evidence.In && p.Sort == want
	})
	if err != nil {
		h.t.Fatalf("no %s: %v", want, err)
	}
	return e.Data.(*Packet)
}

func query(name string, kind uint16) *dns.Msg {
	m := new(dns.Msg)
	m.Question = []dns.Question{{Name: name, Qtype: kind, Qclass: dns.ClassINET}}
	return m
}

func says(name string, addr netip.Addr, ttl uint32) *dns.Msg {
	m := new(dns.Msg)
	m.Response, m.Authoritative = true, true
	m.Answer = []dns.RR{&dns.A{Hdr: header(name, dns.TypeA, ttl, true), A: addr.AsSlice()}}
	return m
}

func TestResponderAnswers(t *testing.T) {
	h := newHome(t)
	leave := h.r.Host("printer.local.", h.mine)
	defer h.r.Service("Printer", "_ipp._tcp.local.", "printer.local.", 631)()
	if p := h.hear(); p.Sort != Announcement || p.Holds("printer.local.", "A") == nil || !p.Answers[0].Flush || p.Answers[0].TTL != hostTTL {
		t.Errorf("announcement: %+v", p)
	}
	if p := h.hear(); p.Holds("_ipp._tcp.local.", "PTR") == nil || p.Answers[0].Flush {
		t.Errorf("announcement of the service: %+v", p)
	}
	h.tell(query("Printer.local.", dns.TypeA))
	if p := h.hear(); p.Holds("printer.local.", "A") == nil || p.Answers[0].Address != h.mine {
		t.Errorf("answer: %+v", p)
	}
	h.tell(query("_ipp._tcp.local.", dns.TypePTR))
	if p := h.hear(); p.Holds("_ipp._tcp.local.", "PTR") == nil || p.Answers[0].Target != "printer._ipp._tcp.local." {
		t.Errorf("answer for the service: %+v", p)
	}
	leave()
	if p := h.hear(); p.Sort != Goodbye || p.Answers[0].Name != "printer.local." {
		t.Errorf("goodbye: %+v", p)
	}
}

func TestClaimIsDefended(t *testing.T) {
	h := newHome(t)
	undo := h.r.Claim("lamp.local.", h.mine)
	h.hear()
	probe := query("lamp.local.", dns.TypeANY)
	probe.Ns = []dns.RR{&dns.A{Hdr: header("lamp.local.", dns.TypeA, hostTTL, false), A: h.addr.AsSlice()}}
	h.tell(probe)
	if p := h.hear(); p.Holds("lamp.local.", "A") == nil || p.Answers[0].Address != h.mine {
		t.Errorf("defence against a probe: %+v", p)
	}
	if p := h.saw(Probe); p.IPTTL != TTL || p.From.Addr() != h.addr || p.Proposed[0].Address != h.addr {
		t.Errorf("probe seen: %+v", p)
	}
	h.tell(says("lamp.local.", h.addr, hostTTL))
	if p := h.hear(); p.Answers[0].Address != h.mine {
		t.Errorf("defence against an announcement: %+v", p)
	}
	undo()
	if p := h.hear(); p.Sort != Goodbye {
		t.Errorf("end of the claim: %+v", p)
	}
}

func TestObserverTellsSorts(t *testing.T) {
	h := newHome(t)
	h.tell(says("lamp.local.", h.addr, hostTTL))
	if p := h.saw(Announcement); !p.Answers[0].Flush {
		t.Errorf("cache-flush bit: %+v", p)
	}
	h.r.Ask("lamp.local.", dns.TypeA)
	if p := h.hear(); p.Sort != Query {
		t.Errorf("query: %+v", p)
	}
	h.tell(says("lamp.local.", h.addr, hostTTL))
	h.saw(Answer)
	h.tell(says("lamp.local.", h.addr, 0))
	h.saw(Goodbye)
	if _, err := h.peer.WriteTo([]byte("garbage"), net.UDPAddrFromAddrPort(Group)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := h.log.Await(ctx, 0, func(e evidence.Event) bool { return e.Kind == evidence.Bad }); err != nil {
		t.Error("garbage was not seen")
	}
}

// A resolver that does not speak multicast DNS asks from a port of its own, and is answered alone (RFC 6762, section 6.7).
func TestLegacyQuery(t *testing.T) {
	h := newHome(t)
	h.r.Host("printer.local.", h.mine)
	var sent []*Packet
	p, err := Decode(pack(t, query("printer.local.", dns.TypeA)))
	if err != nil {
		t.Fatal(err)
	}
	h.r.hear(p, &net.UDPAddr{IP: h.addr.AsSlice(), Port: 40000})
	for _, e := range h.log.Since(0) {
		if out, ok := e.Data.(*Packet); ok && e.Kind == evidence.Out {
			sent = append(sent, out)
		}
	}
	if last := sent[len(sent)-1]; len(last.Questions) != 1 || last.Answers[0].Flush || last.Answers[0].TTL > 10 {
		t.Errorf("legacy answer: %+v", last)
	}
}

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzDecode(f *testing.F) {
	f.Add(pack(f, query("lamp.local.", dns.TypeANY)))
	f.Add(pack(f, says("lamp.local.", netip.MustParseAddr("192.0.2.1"), 0)))
	f.Add([]byte{0, 0, 0x84, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc0, 0x0c})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		for _, list := range [][]Record{p.Answers, p.Proposed, p.Additional} {
			if len(list) > maxRecords {
				t.Errorf("%d records are kept", len(list))
			}
		}
		if len(p.String()) > 410 {
			t.Error("its line is too long")
		}
	})
}

func FuzzFrame(f *testing.F) {
	frame := slices.Concat(make([]byte, 12), []byte{8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 255, 17, 0, 0, 10, 0, 0, 1, 224, 0, 0, 251},
		[]byte{0x14, 0xe9, 0x14, 0xe9, 0, 20, 0, 0}, make([]byte, 12))
	f.Add(frame)
	clk := clock.New(1)
	w := &Observer{o: Options{Clock: clk, Log: evidence.NewLog(clk.Now, nil, false)}}
	f.Fuzz(func(_ *testing.T, b []byte) { w.look(b) })
}
