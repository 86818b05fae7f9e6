package dns

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/shakedown-test/shakedown/evidence"
	"github.com/shakedown-test/shakedown/world/clock"
)

func queryFor(name string) []byte {
	m := new(dns.Msg)
	m.SetQuestion(dns.Fqdn(name), dns.TypeA)
	b, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return b
}

// Every malformation is one for two parsers, or has no answer in it.
func TestMalformations(t *testing.T) {
	r := newRig(t)
	r.zone.Set("one.test", Records{A: addrs("203.0.113.1")})
	r.Do(Malformed(Malformations()...))
	for _, m := range Malformations() {
		c, err := net.Dial("udp", r.at)
		if err != nil {
			t.Fatal(err)
		}
		c.Write(queryFor("one.test"))
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		c.Close()
		if err != nil {
			t.Fatalf("%s: %v", m, err)
		}
		var got dns.Msg
		if err := got.Unpack(buf[:n]); err == nil && len(got.Answer) > 0 {
			t.Errorf("%s: % x is an answer: %v", m, buf[:n], got.Answer)
		}
	}
	ended := make(chan error, 1)
	go func() { _, err := r.look(t, "ip4", "one.test"); ended <- err }()
	if err := <-ended; err == nil {
		t.Error("Go's resolver made something of it")
	}
}

func TestNoQueries(t *testing.T) {
	r := newRig(t)
	c, err := net.Dial("udp", r.at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answer := queryFor("one.test")
	answer[2] |= 0x80
	for i, b := range [][]byte{{1, 2, 3}, answer, make([]byte, 12)} {
		mark := r.log.Len()
		c.Write(b)
		e, err := r.log.Await(t.Context(), mark, func(e evidence.Event) bool { return e.Kind == evidence.Bad })
		if err != nil || e.Size != len(b) {
			t.Errorf("%d: %+v, %v", i, e, err)
		}
	}
}

// discard is a socket that nothing comes to.
type discard struct{ net.PacketConn }

// No message makes the server do anything but answer, or not.
func FuzzHandle(f *testing.F) {
	f.Add(queryFor("one.test"), false, 0)
	f.Add(queryFor("x.any.test"), true, 3)
	f.Add([]byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1}, false, 5)
	f.Add(make([]byte, 12), true, 1)
	clk := clock.New(1e6)
	zone := NewZone()
	zone.Set("one.test", Records{TTL: time.Minute, CNAME: "*.any.test"})
	zone.Set("*.any.test", Records{A: addrs("203.0.113.1"), AAAA: addrs("2001:db8::1")})
	f.Fuzz(func(t *testing.T, b []byte, tcp bool, how int) {
		s := &Server{o: Options{Zone: zone, Clock: clk, Log: evidence.NewLog(clk.Now, nil, false), UDP: discard{}}, ctx: t.Context()}
		poison := netip.MustParseAddr("203.0.113.66")
		all := []Behaviour{Truncated(), NXDomain(), Hijack(poison), Spoofed(poison, WrongID, WrongQuestion), Malformed(Malformations()...)}
		if i := int(uint(how) % uint(len(all)+1)); i < len(all) {
			s.behaviours.Push(all[i])
		}
		s.handle(b, netip.MustParseAddrPort("192.0.2.1:53"), tcp, func(_ net.PacketConn, answer []byte) error {
			if !tcp && len(answer) > maxMessage {
				t.Errorf("an answer of %d bytes", len(answer))
			}
			return nil
		})
	})
}
