package environment

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
)

func TestLookupPorts(t *testing.T) {
	start := time.Unix(0, 0)
	sent := func(after time.Duration, port uint16) testbed.Sent {
		return testbed.Sent{At: start.Add(after), From: netip.AddrPortFrom(netip.IPv4Unspecified(), port)}
	}
	got := lookupPorts([]testbed.Sent{
		sent(0, 5000), sent(time.Millisecond, 5000), // A and AAAA
		sent(3*time.Second, 6000), sent(6*time.Second, 6000), // one port for two lookups
	})
	if want := []uint16{5000, 6000, 6000}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
