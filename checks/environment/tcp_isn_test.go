package environment

import (
	"net/netip"
	"testing"
	"time"

	"github.com/shakedown-test/shakedown/testbed"
)

func TestJudgeISN(t *testing.T) {
	const second = time.Second
	for name, c := range map[string]struct {
		every time.Duration
		isn   func(i uint32) uint32
		n     int
		same  bool // from one port
		want  string
	}{
		"random":                      {second, func(i uint32) uint32 { return (i + 1) * (i + 7) * 2654435761 }, 8, false, ""},
		"constant":                    {second, func(uint32) uint32 { return 6510 }, 8, false, "Begins its connections with the same sequence numbers again and again"},
		"the same after a restart":    {second, func(i uint32) uint32 { return i % 4 * i % 4 * 2654435761 }, 8, false, "Begins its connections with the same sequence numbers again and again"},
		"by one":                      {second, func(i uint32) uint32 { return 4294967293 + i }, 8, false, "Counts the first sequence numbers of its connections up"},
		"by 64,000":                   {second, func(i uint32) uint32 { return 64000 * i }, 8, false, "Counts the first sequence numbers of its connections up"},
		"by the same large step":      {second, func(i uint32) uint32 { return 0x11223344 * i }, 8, false, "Counts the first sequence numbers of its connections up"},
		"anew at a start, then by 64": {second, func(i uint32) uint32 { return i/4*0x31415926 + 64*i }, 8, false, "Counts the first sequence numbers of its connections up"},
		"the clock of RFC 9293":       {1700 * time.Millisecond, func(i uint32) uint32 { return i*425000 + i*i*31 }, 8, false, ""},
		"at once":                     {time.Millisecond, func(i uint32) uint32 { return i * 250 }, 8, false, ""},
		"one pair of addresses":       {second, func(i uint32) uint32 { return i*1000 + i*i }, 8, true, ""},
		"too few":                     {second, func(uint32) uint32 { return 1 }, 7, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var all []testbed.Sent
			for i := range c.n {
				port := uint16(50000 + i)
				if c.same {
					port = 50000
				}
				all = append(all, testbed.Sent{
					At: time.Unix(0, 0).Add(time.Duration(i) * c.every), From: netip.AddrPortFrom(netip.IPv4Unspecified(), port), Sequence: c.isn(uint32(i)),
				})
			}
			if got := titles(judgeISN(all)); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgeClosed(t *testing.T) {
	for name, c := range map[string]struct {
		answers []segment
		want    string
	}{
		"nothing":            {nil, ""},
		"RST":                {[]segment{{0x14, 7, 8}}, ""},
		"open":               {[]segment{{0x12, 7, 8}}, ""},
		"ACK":                {[]segment{{0x10, 7, 8}}, "Answers a SYN to a closed port with something else than a RST"},
		"RST without ACK":    {[]segment{{0x14, 7, 8}, {0x04, 8, 0}}, "Refuses connections with a RST that does not count"},
		"RST of another SYN": {[]segment{{0x14, 7, 7}}, "Refuses connections with a RST that does not count"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := titles(judgeClosed(c.answers)); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}
