package frame

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
)

var (
	tell4, tell6 = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	from4, to4   = netip.MustParseAddr("192.168.1.10"), netip.MustParseAddr("203.0.113.10")
	from6, to6   = netip.MustParseAddr("2001:db8::10"), netip.MustParseAddr("2001:db8:1::10")
	stationMACs  = []byte{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}
)

// ipv4 is a frame with a packet whose body is body.
func ipv4(flags uint16, proto byte, options, body []byte) []byte {
	header := 20 + len(options)
	ip := []byte{0x40 | byte(header/4), 0, 0, 0, 0x12, 0x34, byte(flags >> 8), byte(flags), 64, proto, 0, 0}
	binary.BigEndian.PutUint16(ip[2:], uint16(header+len(body)))
	ip = slices.Concat(ip, from4.AsSlice(), to4.AsSlice(), options)
	ChecksumIPv4(ip)
	return slices.Concat(stationMACs, []byte{0x08, 0}, ip, body)
}

func ipv6(next byte, body []byte) []byte {
	ip := []byte{0x60, 0, 0, 0, byte(len(body) >> 8), byte(len(body)), next, 64}
	return slices.Concat(stationMACs, []byte{0x86, 0xdd}, ip, from6.AsSlice(), to6.AsSlice(), body)
}

func counted(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func TestFragments(t *testing.T) {
	routerAlert, recordRoute := []byte{0x94, 4, 0, 0}, []byte{7, 7, 4, 1, 2, 3, 4}
	for name, c := range map[string]struct {
		mtu     int
		flags   uint16
		options []byte
		size    int
	}{
		"two":                {1300, 0, nil, 1480},
		"many":               {68, 0, nil, 1000},
		"with options":       {576, 0, slices.Concat(routerAlert, recordRoute, []byte{0}), 1400},
		"of a fragment":      {576, 0x2000 | 185, nil, 1480},
		"of the last one":    {576, 185, nil, 1480},
		"just one byte more": {576, 0, nil, 557},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, 1)
			e.MTU(Up, c.mtu, tell4)
			body := counted(c.size)
			e.SendUp(ipv4(c.flags, 17, c.options, body))
			whole := make([]byte, len(body))
			frames := e.got(Up)
			for i, f := range frames {
				ip := f[ethernet:]
				header, length := int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
				if Checksum(ip[:header], 0) != 0 || length != len(ip) || length > c.mtu {
					t.Errorf("fragment %d of %d bytes has length %d, checksum %x", i, len(ip), length, Checksum(ip[:header], 0))
				}
				flags := binary.BigEndian.Uint16(ip[6:])
				if more := flags&0x2000 != 0; more != (i < len(frames)-1 || c.flags&0x2000 != 0) {
					t.Errorf("fragment %d says %t for more", i, more)
				}
				copy(whole[int(flags&0x1fff-c.flags&0x1fff)*8:], ip[header:])
				if len(c.options) > 0 && (!bytes.Equal(ip[20:24], routerAlert) || (i > 0) != bytes.Equal(ip[24:31], []byte{1, 1, 1, 1, 1, 1, 1})) {
					t.Errorf("fragment %d has the options %x", i, ip[20:header])
				}
			}
			if !bytes.Equal(whole, body) || len(frames) < 2 || len(e.got(Down)) != 0 {
				t.Errorf("%d fragments do not make the packet", len(frames))
			}
		})
	}
}

func TestTooBig(t *testing.T) {
	icmpError, echo := append([]byte{3, 1, 0, 0}, counted(1396)...), append([]byte{8, 0, 0, 0}, counted(1396)...)
	for name, c := range map[string]struct {
		frame []byte
		mtu   int
		tell  []netip.Addr
		kind  byte // of the ICMP message that comes back; 0: none
		on    bool // the frame passes
	}{
		"v4":                       {ipv4(0x4000, 6, nil, counted(1400)), 1300, []netip.Addr{tell4, tell6}, 3, false},
		"v4, echo":                 {ipv4(0x4000, 1, nil, echo), 1300, []netip.Addr{tell4}, 3, false},
		"v4, about an ICMP error":  {ipv4(0x4000, 1, nil, icmpError), 1300, []netip.Addr{tell4}, 0, false},
		"v4, later fragment":       {ipv4(0x4000|7, 17, nil, counted(1400)), 1300, []netip.Addr{tell4}, 0, false},
		"v4, nobody tells":         {ipv4(0x4000, 6, nil, counted(1400)), 1300, nil, 0, false},
		"v4, only v6 tells":        {ipv4(0x4000, 6, nil, counted(1400)), 1300, []netip.Addr{tell6}, 0, false},
		"v4, fits":                 {ipv4(0x4000, 6, nil, counted(1280)), 1300, []netip.Addr{tell4}, 0, true},
		"v6":                       {ipv6(6, counted(1400)), 1300, []netip.Addr{tell4, tell6}, 2, false},
		"v6, echo":                 {ipv6(58, append([]byte{128, 0}, counted(1400)...)), 1300, []netip.Addr{tell6}, 2, false},
		"v6, about an ICMP error":  {ipv6(58, append([]byte{1, 0}, counted(1400)...)), 1300, []netip.Addr{tell6}, 0, false},
		"v6, error behind options": {ipv6(60, slices.Concat([]byte{58, 0, 1, 4, 0, 0, 0, 0, 1, 0}, counted(1400))), 1300, []netip.Addr{tell6}, 0, false},
		"v6, nobody tells":         {ipv6(6, counted(1400)), 1300, nil, 0, false},
		"v6, less than 1280":       {ipv6(6, counted(1240)), 576, []netip.Addr{tell6}, 0, true},
		"ARP":                      {append(slices.Concat(stationMACs, []byte{8, 6}), counted(1400)...), 576, []netip.Addr{tell4}, 0, true},
		"v4 that is cut off":       {ipv4(0x4000, 6, nil, counted(1400))[:1350], 1300, []netip.Addr{tell4}, 0, false},
		"v4 of broken header":      {append(slices.Concat(stationMACs, []byte{8, 0, 0x41, 0, 0xff, 0xff}), counted(1400)...), 576, []netip.Addr{tell4}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, 1)
			defer e.MTU(Up, c.mtu, c.tell...)()
			sent := slices.Clone(c.frame)
			var seen int
			e.Watch(func(_ []byte, w Way) {
				if w == Up {
					seen++
				}
			})
			e.SendUp(c.frame)
			if on := len(e.got(Up)) == 1; on != c.on {
				t.Errorf("the frame passed: %t", on)
			}
			back := e.got(Down)
			if c.kind == 0 {
				if len(back) != 0 {
					t.Errorf("%d frames came back: %x", len(back), back[0][:48])
				}
				return
			}
			if len(back) != 1 || seen != 1 {
				t.Fatalf("%d frames came back, want one; %d were seen up", len(back), seen)
			}
			checkTooBig(t, back[0], sent, c.mtu, c.kind)
		})
	}
}

// checkTooBig looks at an ICMP message about a packet that was too big.
func checkTooBig(t *testing.T, f, about []byte, mtu int, kind byte) {
	t.Helper()
	if !bytes.Equal(f[:6], about[6:12]) || !bytes.Equal(f[12:14], about[12:14]) {
		t.Errorf("the Ethernet header is %x", f[:14])
	}
	ip := f[14:]
	header, said := 20, 0
	if kind == 2 {
		header = 40
		pseudo := slices.Concat(ip[8:40], []byte{0, 0, ip[4], ip[5], 0, 0, 0, 58})
		if Checksum(ip[40:], Sum(pseudo)) != 0 {
			t.Error("the checksum of the ICMPv6 message is wrong")
		}
		said = int(binary.BigEndian.Uint32(ip[44:]))
		if !bytes.Equal(ip[8:24], tell6.AsSlice()) || !bytes.Equal(ip[24:40], from6.AsSlice()) || len(ip) > 1280 {
			t.Errorf("%d bytes from %x to %x", len(ip), ip[8:24], ip[24:40])
		}
	} else {
		if Checksum(ip[:20], 0) != 0 || Checksum(ip[20:], 0) != 0 {
			t.Error("a checksum is wrong")
		}
		said = int(binary.BigEndian.Uint16(ip[26:]))
		if ip[21] != 4 || !bytes.Equal(ip[12:16], tell4.AsSlice()) || !bytes.Equal(ip[16:20], from4.AsSlice()) || len(ip) > 576 {
			t.Errorf("code %d, %d bytes from %v to %v", ip[21], len(ip), ip[12:16], ip[16:20])
		}
	}
	if ip[header] != kind || said != mtu {
		t.Errorf("the message is of type %d and says %d, want %d and %d", ip[header], said, kind, mtu)
	}
	if cited := ip[header+8:]; !bytes.HasPrefix(about[14:], cited) || len(cited) < 28 {
		t.Errorf("it cites %d bytes that were not sent", len(cited))
	}
}
