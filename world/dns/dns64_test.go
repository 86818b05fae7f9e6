package dns

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestDNS64(t *testing.T) {
	r := newRig(t)
	r.zone.Set("four.test", Records{TTL: time.Hour, A: addrs("203.0.113.1", "203.0.113.2")})
	r.zone.Set("six.test", Records{TTL: time.Minute, A: addrs("203.0.113.1"), AAAA: addrs("2001:db8::1")})
	r.zone.Set("alias.test", Records{TTL: time.Minute, CNAME: "four.test"})
	r.zone.Set("none.test", Records{TTL: time.Minute})
	made := addrs("64:ff9b::cb00:7101", "64:ff9b::cb00:7102")
	undo := r.Do(DNS64(NAT64))
	for _, tt := range []struct {
		network, name string
		want          []netip.Addr
	}{
		{"ip6", "four.test", made},
		{"ip6", "alias.test", made},
		{"ip6", "six.test", addrs("2001:db8::1")},
		{"ip6", "none.test", nil},
		{"ip6", "nowhere.test", nil},
		{"ip4", "four.test", addrs("203.0.113.1", "203.0.113.2")},
	} {
		if got, err := r.look(t, tt.network, tt.name); !slices.Equal(got, tt.want) {
			t.Errorf("%s of %s is %v (%v), want %v", tt.network, tt.name, got, err, tt.want)
		}
	}
	undo()
	if got, _ := r.look(t, "ip6", "four.test"); got != nil {
		t.Errorf("after the undo: %v", got)
	}
}

func TestDNS64Records(t *testing.T) {
	z := NewZone()
	z.Set("four.test", Records{TTL: time.Hour, A: addrs("203.0.113.1")})
	x := &exchange{s: &Server{o: Options{Zone: z}}, query: new(dns.Msg)}
	x.query.SetQuestion("four.test.", dns.TypeAAAA)
	m := x.synthesise(NAT64)
	if len(m.Answer) != 1 || len(m.Ns) != 0 || m.Id != x.query.Id || m.Question[0].Qtype != dns.TypeAAAA || !m.RecursionAvailable {
		t.Fatalf("answer %v", m)
	}
	if ttl := m.Answer[0].Header().Ttl; ttl != uint32(Negative/time.Second) {
		t.Errorf("ttl %d, want that of the SOA record", ttl)
	}
	x.query.CheckingDisabled = true
	x.query.SetEdns0(1232, true)
	if m := x.synthesise(NAT64); len(m.Answer) != 0 {
		t.Errorf("to a client that validates: %v", m.Answer)
	}
}
