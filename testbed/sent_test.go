package testbed

import (
	"net/netip"
	"testing"
)

func TestBegins(t *testing.T) {
	f := make([]byte, 14+20+20)
	copy(f[12:], []byte{8, 0, 0x45})
	f[23] = 17
	copy(f[26:], []byte{192, 168, 1, 10, 8, 8, 4, 4, 0xc0, 0, 0, 53})
	s, ok := begins(f)
	if !ok || s.TCP || s.From != netip.MustParseAddrPort("192.168.1.10:49152") || s.To != netip.MustParseAddrPort("8.8.4.4:53") {
		t.Errorf("datagram: %+v, %t", s, ok)
	}
	f[23] = 6
	if _, ok := begins(f); ok {
		t.Error("a segment without SYN begins nothing")
	}
	f[14+20+13] = 2
	if s, ok := begins(f); !ok || !s.TCP {
		t.Errorf("SYN: %+v, %t", s, ok)
	}
	f[21] = 1 // a later fragment
	if _, ok := begins(f); ok {
		t.Error("a fragment begins nothing")
	}
	for n := range f {
		begins(f[:n])
	}
}

func FuzzBegins(f *testing.F) {
	f.Add(make([]byte, 60))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x86, 0xDD})
	f.Fuzz(func(_ *testing.T, b []byte) { begins(b) })
}
