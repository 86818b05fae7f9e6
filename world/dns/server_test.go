package dns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	r := newRig(t)
	r.zone.Set("one.example.test", Records{TTL: time.Minute, A: addrs("203.0.113.1"), AAAA: addrs("2001:db8::1")})
	r.zone.Set("*.any.test", Records{A: addrs("203.0.113.2")})
	for i := range 8 {
		r.zone.Set(fmt.Sprintf("alias%d.test", i), Records{TTL: time.Minute, CNAME: fmt.Sprintf("alias%d.test", i+1)})
	}
	r.zone.Set("alias8.test", Records{TTL: time.Minute, A: addrs("203.0.113.8")})
	r.zone.Set("loop.test", Records{CNAME: "loop.test"})
	for _, tt := range []struct {
		network, name string
		want          []netip.Addr
	}{
		{"ip4", "ONE.example.test", addrs("203.0.113.1")},
		{"ip6", "one.example.test", addrs("2001:db8::1")},
		{"ip4", "x.y.any.test", addrs("203.0.113.2")},
		{"ip4", "alias0.test", addrs("203.0.113.8")},
		{"ip6", "alias8.test", nil},
		{"ip4", "any.test", nil},
		{"ip4", "loop.test", nil},
	} {
		got, err := r.look(t, tt.network, tt.name)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s is %v (%v), want %v", tt.name, got, err, tt.want)
		}
		var missing *net.DNSError
		if tt.want == nil && (!errors.As(err, &missing) || !missing.IsNotFound) {
			t.Errorf("%s: %v, want that it does not exist", tt.name, err)
		}
	}
}

func TestAddressesAreSetAndTurned(t *testing.T) {
	r := newRig(t)
	undo := r.zone.Set("b.test", Records{A: addrs("203.0.113.1", "203.0.113.2", "203.0.113.3"), Rotate: true})
	first := map[netip.Addr]bool{}
	for range 3 {
		got, err := r.look(t, "ip4", "b.test")
		if err != nil || len(got) != 3 {
			t.Fatalf("got %v, %v", got, err)
		}
		first[lastAnswer(r).Addrs[0]] = true
	}
	if len(first) != 3 {
		t.Errorf("%d addresses came first in three answers", len(first))
	}
	again := r.zone.Set("b.test", Records{A: addrs("203.0.113.9")})
	undo() // of what is not in force any more
	if got, _ := r.look(t, "ip4", "b.test"); !slices.Equal(got, addrs("203.0.113.9")) {
		t.Errorf("after the change: %v", got)
	}
	again()
	if got, _ := r.look(t, "ip4", "b.test"); len(got) != 3 {
		t.Errorf("after the undo: %v", got)
	}
	if names := r.zone.Names(); !slices.Equal(names, []string{"b.test"}) {
		t.Errorf("names %v", names)
	}
}

func lastAnswer(r *rig) (last Answer) {
	for _, e := range r.log.Since(0) {
		if a, ok := Answered(e); ok {
			last = a
		}
	}
	return last
}

// What a resolver makes of each behaviour, and that its undo ends it.
func TestBehaviours(t *testing.T) {
	right := addrs("203.0.113.1")
	poison := netip.MustParseAddr("203.0.113.66")
	for _, tt := range []struct {
		name string
		do   Behaviour
		want []netip.Addr // nil: no answer
	}{
		{"servfail", ServFail(), nil},
		{"nxdomain", NXDomain(), nil},
		{"refused", Refused(), nil},
		{"truncated", Truncated(), right},
		{"slow", Slow(50 * time.Millisecond), right},
		{"hijack", Hijack(poison), []netip.Addr{poison}},
		{"forged", Spoofed(poison, Forgeries()...), right},
		{"other name", ServFail().For("else.test"), right},
		{"other type", ServFail().Type("AAAA"), right},
		{"this name", ServFail().For("One.example.test.").Type("A"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.zone.Set("one.example.test", Records{TTL: time.Minute, A: right})
			heal := r.Do(tt.do)
			got, err := r.look(t, "ip4", "one.example.test")
			if !slices.Equal(got, tt.want) || (err == nil) != (tt.want != nil) {
				t.Errorf("got %v, %v; want %v", got, err, tt.want)
			}
			heal()
			if got, err := r.look(t, "ip4", "one.example.test"); !slices.Equal(got, right) {
				t.Errorf("after the undo: %v, %v", got, err)
			}
		})
	}
}

func TestTruncatedTakesTCP(t *testing.T) {
	r := newRig(t)
	r.zone.Set("one.test", Records{A: addrs("203.0.113.1")})
	var many []netip.Addr
	for i := range 60 {
		many = append(many, netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}))
	}
	r.zone.Set("many.test", Records{A: many})
	r.Do(Truncated().For("one.test"))
	for name, n := range map[string]int{"one.test": 1, "many.test": 60} {
		mark := len(r.queries())
		got, err := r.look(t, "ip4", name)
		if len(got) != n {
			t.Errorf("%s: %d addresses, %v", name, len(got), err)
		}
		if q := r.queries()[mark:]; name == "one.test" && (len(q) != 2 || q[0].TCP || !q[1].TCP) {
			t.Errorf("%s: queries %v", name, q)
		}
	}
}

func TestForgeriesAreForged(t *testing.T) {
	r := newRig(t)
	r.zone.Set("one.test", Records{A: addrs("203.0.113.1")})
	r.Do(Spoofed(netip.MustParseAddr("203.0.113.66"), Forgeries()...))
	udp, err := net.Dial("udp", r.at)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	if _, err := udp.Write(queryFor("one.test")); err != nil {
		t.Fatal(err)
	}
	got := 0
	udp.SetReadDeadline(time.Now().Add(5 * time.Second))
	for got < 3 { // a connected socket does not see what comes from the other port
		buf := make([]byte, 2048)
		if _, err := udp.Read(buf); err != nil {
			t.Fatalf("after %d answers: %v", got, err)
		}
		got++
	}
	lies := map[string]bool{}
	for _, e := range r.log.Since(0) {
		if a, ok := Answered(e); ok {
			lies[a.Lie] = true
		}
	}
	if len(lies) != 4 || !lies[""] || !lies[string(WrongPort)] {
		t.Errorf("answers %v", lies)
	}
}
